// Stands before require.js and MathJax, which read it: where a widget's page script lies, whatever page asks for it ...
window.require = { paths: { anywidget: document.currentScript.src.replace(/paths\.js.*$/, "ANYWIDGET") } };
// ... and that labels of sliders are typeset through MathJax 2's queue; what it asks for is done by MathJax 3.
const Hub = { Queue: ([, , node]) => window.MathJax.typeset?.([node]) };
const ready = () => (window.MathJax.startup.defaultReady(), (window.MathJax.Hub = Hub));
window.MathJax = { Hub, startup: { ready } };
