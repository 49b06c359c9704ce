"""The contract of processor steps, and what this one does."""

from typing import Any

import pytest
from lerobot.core.processors import create_transition
from lerobot.core.testing import ProcessorContract

from {{ cookiecutter.package }}.config import {{ cookiecutter.class_name }}Config
from {{ cookiecutter.package }}.processor import {{ cookiecutter.class_name }}


class TestContract(ProcessorContract):
    @pytest.fixture
    def config(self) -> {{ cookiecutter.class_name }}Config:
        return {{ cookiecutter.class_name }}Config(share=0.25)

    @pytest.fixture
    def transition(self) -> dict[str, Any]:
        return create_transition({"elbow_flex.pos": 1.0}, {"elbow_flex.pos": 10.0})


def test_a_jump_is_followed_step_by_step() -> None:
    step = {{ cookiecutter.class_name }}({{ cookiecutter.class_name }}Config(share=0.5))
    targets = [0.0, 8.0, 8.0, 8.0]
    smooth = [step(create_transition(action={"gripper.pos": target}))["action"]["gripper.pos"] for target in targets]
    assert smooth == [0.0, 4.0, 6.0, 7.0]
