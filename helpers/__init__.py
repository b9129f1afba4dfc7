"""The small package that every notebook of the course imports.

Import the room, not its names, so that a reader always sees where a function lives::

    from helpers import audio, figures, signals

The ground: arrays in, arrays out; numpy and scipy.

- `helpers.audio`: files to arrays and back, resampling, mixing, the shipped clips.
- `helpers.signals`: test signals with known answers.
- `helpers.metrics`: levels in dB, and how far an estimate is from its target.
- `helpers.loudness`: how loud a sound is: equal-loudness contours, weightings, sones, LUFS.
- `helpers.pitch`: mel, Bark, ERB-rate, semitones, and back to hertz.
- `helpers.spectra`: one frame: its spectrum, windows and what they cost, the frequency of a sine.
- `helpers.stft`: many frames, and the way back.
- `helpers.mel`: what a network sees: mel spectrograms and their inverses, MFCC.
- `helpers.phase`: a phase for a magnitude: Griffin-Lim, plain and fast, from three kinds of start.
- `helpers.music`: scores whose truth is known to the sample, instruments that play them, chroma.
- `helpers.psychophysics`: what the answers of a listening test allow us to say.

Learning: over the ground, with PyTorch.

- `helpers.losses`: how far an estimate is from its target, with a slope.
- `helpers.settings`: enhancers by name, what is in them, and ideal (oracle) masks.
- `helpers.vocoders`: from a mel spectrogram to sound, by four ideas.
- `helpers.speech`: which word a second of sound holds: features, the keyword network, its weights.
- `helpers.recogniser`: letters from sound by CTC; text read out of them, by a beam and a grammar.
- `helpers.voice`: a voice: text to phones, to a score that can be changed, to a mel, to sound.
- `helpers.training`: what enhancers are trained with; the runs of the author are `tools.training`.

The face: what you see and touch.

- `helpers.figures`, `helpers.diagrams`: draw in the look of the course.
- `helpers.explore`: a stage with things to drag, controls, a brush.
- `helpers.live`: a computation that shows its progress, can be stopped, and is heard at several
  moments.
- `helpers.listening`: player, recorder, blind tests.
- `helpers.experiments`: your own equal-loudness contour, where you hear the middle of an interval,
  and what hides a tone.
- `helpers.coursework`: exercises, hints, quizzes, your progress.

What begins with an underscore is private. This file imports nothing, so a notebook pays only for
the rooms that it enters.
"""
