"""nbgrader's settings for this course: copy this file into the folder of your nbgrader course.

Nothing else has to be set: regions, ids and points are in the notebooks already.
"""

c = get_config()  # type: ignore[name-defined]  # noqa: F821 (nbgrader defines it)

# What students find in place of a solution is what `gancourse release` puts there.
c.ClearSolutions.begin_solution_delimeter = "BEGIN SOLUTION"
c.ClearSolutions.end_solution_delimeter = "END SOLUTION"
c.ClearSolutions.code_stub = {"python": "raise NotImplementedError"}
c.ClearSolutions.text_stub = "*Write your answer here.*"

# The default of 30 s is too short for a busy server: a cell may load torch or draw hundreds of images.
c.Execute.timeout = 300
c.Execute.startup_timeout = 120
c.Execute.interrupt_on_timeout = True

# What a runaway cell may leave in a notebook and in its feedback.
c.LimitOutput.max_lines = 200
c.LimitOutput.max_traceback = 30
