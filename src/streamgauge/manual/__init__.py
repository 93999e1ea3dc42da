"""The pages of ``docs/`` that are made from the code: what is written twice comes to differ."""
