"""What the verbs of course.py do; no learner needs to open this folder."""
