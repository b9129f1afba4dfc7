// Quizzes and predictions, on core.js and gate.js. Everything that is shown lives in the trait `spec`, everything that was answered
// in the trait `answers`, so that both work in a page without a kernel:
// answers = {key: {chosen: index, tried: [index, ...], skipped: true}}; `tried` grows each time an answer is checked.
// Where no notebook is, the browser keeps the answers.

const KEYS = ["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Enter", " ", "Home", "End"];
const rich = (text) => text.split("`").map((part, i) => (i % 2 ? el("code", { text: part }) : part)); // `code` only

// What a browser keeps of answers that no Python keeps; a sandboxed frame may forbid it.
function remembered(title, questions) {
  try {
    const all = JSON.parse(localStorage.getItem(`earup ${title}`)) ?? {};
    return questions ? Object.fromEntries(questions.flatMap(({ key }) => (all[key] ? [[key, all[key]]] : []))) : all;
  } catch { return {}; }
}
function remember(title, answers) {
  try { localStorage.setItem(`earup ${title}`, JSON.stringify({ ...remembered(title), ...answers })); } catch {}
}

function render({ model, el: host }) {
  const spec = model.get("spec"), predict = spec.kind === "predict", silent = spec.kind === "diagnosis";
  const page = (PAGE.quizzes = (PAGE.quizzes ?? 0) + 1); // radio groups of two quizzes on one page keep apart
  const score = el("p", { class: "earup-quiz-score" });
  const note = el("p", { class: "earup-quiet", role: "status" });
  const asleep = sleeper(model, `You can still answer, but ${predict ? "a guess" : "an answer"} is not stored now.`);
  const again = spec.again ?? []; // questions that were missed some units ago
  const items = [...spec.questions, ...again].map((question, i) => (predict ? guess : silent ? place : ask)(question, i));
  const nodes = items.map((item) => item.node);
  if (again.length) nodes.splice(spec.questions.length, 0, score, returning());
  const region = `${spec.title}: ${spec.questions[0].prompt.replaceAll("`", "")}`; // a page has several of one title
  const root = el("section", { class: "earup earup-quiz", "aria-label": region }, heading(spec.title), nodes,
    predict || again.length ? null : silent ? advice() : score, note, asleep.node);
  root.addEventListener("keydown", (event) => {
    const shortcut = event.shiftKey || event.ctrlKey || event.metaKey || event.altKey; // those are the notebook's own
    if (!shortcut && KEYS.includes(event.key)) event.stopPropagation(); // or JupyterLab would move to the next cell
  });

  const answer = (key) => model.get("answers")[key] ?? {};
  function store(key, changes) {
    model.set("answers", { ...model.get("answers"), [key]: { ...answer(key), ...changes } });
    try {
      model.save_changes();
    } catch {} // no kernel: the answer still counts on this page
    if (!document.querySelector(".jp-NotebookPanel")) remember(spec.title, model.get("answers"));
    draw();
  }

  // What quiz and prediction share: a native radio group, and a place that says what came of it.
  function group(question, legend, buttons, submit) {
    const name = `earup-${page}-${question.key}`, says = live();
    const radios = question.options.map((_, k) =>
      el("input", { type: "radio", name, value: k, on: { change: () => store(question.key, { chosen: k }) } }),
    );
    const rows = question.options.map((option, k) => el("label", {}, radios[k], el("span", {}, rich(option.text))));
    const node = el("fieldset", {}, el("legend", {}, legend), rows, el("div", { class: "earup-quiz-row" }, buttons), says);
    node.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.target.type !== "radio") return;
      event.preventDefault();
      submit();
    });
    return { node, radios, rows, says };
  }

  // Speak only when something changed: a live region repeats whatever is written into it.
  function say(says, word, text, state) {
    if (says.dataset.state === `${state}${text}`) return;
    says.dataset.state = `${state}${text}`;
    says.className = `earup-live ${state}`;
    says.replaceChildren(...(word ? [el("strong", { text: `${word} ` })] : []), ...rich(text));
  }

  function ask(question, i) {
    const tag = el("span", { class: "earup-quiz-tag" });
    const check = () => {
      const { chosen, tried = [] } = answer(question.key);
      if (chosen === undefined) say(parts.says, "", "Choose an answer first.", "none");
      else if (tried.at(-1) !== chosen) store(question.key, { tried: [...tried, chosen] });
    };
    const legend = [`${i + 1}. `, ...rich(question.prompt), " ", tag];
    const parts = group(question, legend, [el("button", { type: "button", text: "Check", on: { click: check } })], check);
    const right = question.options.findIndex((option) => option.right);
    const update = () => {
      const { chosen, tried = [] } = answer(question.key), last = tried.at(-1), solved = tried.includes(right);
      parts.radios.forEach((radio, k) => (radio.checked = k === chosen));
      tag.textContent = solved ? "right" : tried.length ? "not yet" : "not answered";
      tag.className = `earup-quiz-tag ${solved ? "right" : tried.length ? "wrong" : ""}`;
      if (last === undefined || last !== chosen) return say(parts.says, "", "", "");
      say(parts.says, last === right ? "" : "Not yet.", question.options[last].says, last === right ? "right" : "wrong");
    };
    const count = () => ((t) => [t.includes(right), t[0] === right, !t.length])(answer(question.key).tried ?? []);
    return { node: parts.node, update, count };
  }

  // A diagnosis keeps quiet until its end; then every answer has its reason, and every chapter its verdict.
  const told = () => spec.questions.some((q) => answer(q.key).tried);
  const knows = (q) => q.options[answer(q.key).chosen]?.right ?? false;

  function place(question, i) {
    const parts = group(question, [`${i + 1}. `, ...rich(question.prompt)], [], () => {});
    const update = () => {
      const { chosen } = answer(question.key), open = chosen === undefined;
      parts.radios.forEach((radio, k) => { radio.checked = k === chosen; radio.disabled = told(); });
      const option = open ? question.options.find((o) => o.right) : question.options[chosen];
      if (!told()) say(parts.says, "", "", "");
      else say(parts.says, open ? "Left open." : knows(question) ? "" : "Not yet.", open ? option.says[5].toUpperCase() + option.says.slice(6) : option.says, knows(question) ? "right" : "wrong");
    };
    return { node: parts.node, update };
  }

  function advice() {
    const says = el("div", { class: "earup-live", role: "status", tabindex: -1 });
    const button = el("button", { type: "button", class: "earup-main", on: { click: () => {
      const done = told(), change = ({ key }) => [key, done ? {} : { ...answer(key), tried: [answer(key).chosen ?? []].flat() }];
      model.set("answers", Object.fromEntries(spec.questions.map(change)));
      try {
        model.save_changes();
      } catch {} // no kernel
      draw();
      if (!done) says.focus();
    } } });
    const update = () => {
      button.textContent = told() ? "Start again" : "Show my chapters";
      const verdicts = [...new Set(spec.questions.map((q) => q.chapter))].map((chapter) => {
        const asked = spec.questions.map((q, i) => [q, i + 1]).filter(([q]) => q.chapter === chapter);
        return { chapter, minutes: Number(/\((\d+) minutes/.exec(chapter)[1]), missed: asked.filter(([q]) => !knows(q)).map(([, n]) => n) };
      });
      const take = verdicts.filter((v) => v.missed.length), sum = (list) => list.reduce((a, v) => a + v.minutes, 0);
      const lead = take.length ? `Take ${take.length} of ${verdicts.length} chapters: ${sum(take)} of ${sum(verdicts)} minutes.` : "You need none of the chapters. Try their last exercises, or go on.";
      const line = ({ chapter, missed }) => el("li", {}, el("strong", { text: missed.length ? "Take " : "Skip " }), chapter + (missed.length ? `, for question${missed[1] ? "s" : ""} ${missed.join(", ")}` : ""));
      says.replaceChildren(...(told() ? [el("p", { text: lead }), el("ul", {}, verdicts.map(line))] : []));
    };
    items.push({ update });
    return [el("div", { class: "earup-quiz-row" }, button), says];
  }

  function guess(question) {
    const commit = (event) => {
      const { chosen, tried = [] } = answer(question.key);
      if (tried.length) return;
      if (chosen === undefined) return say(parts.says, "", "Choose a guess first, or skip.", "none");
      store(question.key, { tried: [chosen], skipped: false });
      parts.says.focus(); // the button that had the focus is gone
    };
    const skip = () => store(question.key, { skipped: true });
    const buttons = [
      el("button", { type: "button", class: "earup-main", text: "This is my guess", on: { click: commit } }),
      el("button", { type: "button", text: "Skip", on: { click: skip } }),
    ];
    const parts = group(question, rich(question.prompt), buttons, commit);
    const others = el("div"), fold = el("details", { class: "earup-quiz-others", hidden: true },
      el("summary", { text: "What the other guesses would have said" }), others);
    const closed = el("p", { class: "earup-quiet", text: "What follows is closed until you guess or skip." });
    const gate = el("div", { class: "earup-quiz-row earup-quiz-gate" }, closed, GATE.box());
    parts.says.tabIndex = -1;
    parts.node.append(fold, gate);
    const update = () => {
      const { chosen, tried = [], skipped } = answer(question.key), done = tried.length > 0;
      parts.radios.forEach((radio, k) => { radio.checked = k === chosen; radio.disabled = done; });
      parts.rows.forEach((row, k) => row.classList.toggle("chosen", done && k === tried[0]));
      for (const button of buttons) button.hidden = done;
      fold.hidden = !done; gate.hidden = done || !!skipped;
      others.replaceChildren(
        ...question.options.flatMap((o, k) => (done && k !== tried[0] ? [el("p", {}, el("b", {}, rich(o.text)), ": ", rich(o.says))] : [])),
      );
      if (root?.isConnected) keepGate(done || skipped);
      if (done) say(parts.says, "Your guess is stored.", question.options[tried[0]].says.replace(/^If you chose /, "You chose "), "guess");
      else if (skipped) say(parts.says, "", "Skipped, and that is noted. Read on; you can still guess.", "none");
      else say(parts.says, "", "", "");
    };
    return { node: parts.node, update };
  }

  // The cell that this question stands in, and whether what follows it is open.
  let cell = null;
  function keepGate(open) {
    cell ??= host.closest(".jp-Cell, .cell");
    if (!cell) return;
    GATE.release(cell);
    if (open) GATE.open(cell); else GATE.close(cell);
  }
  function returning() {
    const units = [...new Set(again.map((question) => question.from))].join(" and ");
    return heading(`Once more, from unit ${units}: what was not right at first`);
  }

  function draw() {
    items.forEach((item) => item.update());
    note.textContent = model.get("note") ?? "";
    note.hidden = !note.textContent;
    if (predict || silent) return;
    const asked = items.slice(0, spec.questions.length); // what returns counts where it came from
    const sum = asked.map((item) => item.count()).reduce((a, b) => a.map((x, k) => x + b[k]), [0, 0, 0]);
    const open = sum[2] ? `, ${sum[2]} not answered` : "";
    score.textContent = `Score ${sum[0]}/${asked.length}, ${sum[1]} at the first try${open}`;
  }

  host.append(root);
  if (!document.querySelector(".jp-NotebookPanel")) model.set("answers", { ...remembered(spec.title, spec.questions), ...model.get("answers") });
  const unlook = onLook(root, () => { palette(root); if (predict) items[0].update(); });
  model.on("change:answers", draw);
  model.on("change:note", draw);
  draw();
  return () => { unlook(); asleep.end(); model.off("change:answers", draw); model.off("change:note", draw); return cell && GATE.forget(cell); };
}

export default { render };
