"""Python in a page: stages that move and exercises that are checked without a kernel."""
