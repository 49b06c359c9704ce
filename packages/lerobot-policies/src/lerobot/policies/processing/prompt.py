"""The task in words, as a language model was taught to read it."""

from typing import Any

from lerobot.core.errors import FeatureMismatchError
from lerobot.core.processors import ComplementaryDataProcessorStep


class NewLineProcessorStep(ComplementaryDataProcessorStep):
    """Ends every task with a new line, which tells some language models that it ends.

    Raises:
        FeatureMismatchError: the task is no text.
    """

    def complementary_data(self, complementary_data: dict[str, Any]) -> dict[str, Any]:
        """Add what is missing."""
        task = complementary_data.get("task")
        if task is None:
            return complementary_data
        texts = [task] if isinstance(task, str) else task
        if not isinstance(texts, list | tuple) or not all(isinstance(each, str) for each in texts):
            raise FeatureMismatchError(
                f"the task is {task!r}", keys=["task"], expected="a text, or a list of one per sample"
            )
        ended = [each if each.endswith("\n") else f"{each}\n" for each in texts]
        return {**complementary_data, "task": ended[0] if isinstance(task, str) else ended}
