"""How the models of the course were trained, and how to train them on your folders: ``python3 -m
tools.training --help``.

- `tools.training.datasets`: folders of sounds as crops, and as mixtures made on the fly.
- `tools.training.loop`: steps, validation, the best weights, a log, and going on after a stop.
- `tools.training.evaluation`: SI-SDR, PESQ and STOI on mixtures that no training has seen.
- `tools.training.adversary`: the critic that the GAN vocoder learns from.
- `tools.training.loss_features`: the network of the deep-feature loss.
"""
