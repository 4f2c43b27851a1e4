"""Guided lessons. A lesson is a function with its text beside it; importing its module declares it, in the order of the list."""

from core.lessons.guided import reading, chance, arithmetic  # noqa: F401, I001
from core.lessons.guided.lesson import Lesson, Shown, lesson_named, lessons

__all__ = ["Lesson", "Shown", "lesson_named", "lessons"]
