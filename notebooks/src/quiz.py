# %% [markdown]
# # Quiz: before and after
#
# Eight questions, for a class or for yourself. Answer them **before** the first notebook, as well as you can: it takes five
# minutes, and nobody expects you to know them. Answer them **again** after notebook 05. The second time brings the key.
# %%
from kata_lib import quiz

quiz.questions()
# %% [markdown]
# ## Before
#
# Put a letter for each question in place of the dots, in quotes, such as `"a - d b a - c b"`. A `-` means that you do not know,
# which is an answer, too.
# %% tags=quiz
quiz.before(...)
# %% [markdown]
# Now go to [00-setup](00-setup.ipynb), and come back after [05-promote](05-promote.ipynb).
#
# ## After
#
# The same questions, still above. What you hand in here counts once, for it shows the key. If you joined a class, both times go
# to its board.
# %% tags=quiz
quiz.after(...)
