"""What lies beside a submission in its kernel: how it starts, and how its functions are asked.

Nothing here knows an answer, and nothing of the course is imported.
"""
