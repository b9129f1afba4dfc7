"""The course as a site that is read without a kernel and without a network: `python3 course.py
site`.
"""
