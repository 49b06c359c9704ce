"""Pipelines: steps in order, between two converters, with hooks around every step."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, Self, TypeVar, overload

from lerobot.core.errors import FeatureMismatchError
from lerobot.core.paths import lerobot_home, user_path
from lerobot.core.processors.converters import batch_to_transition, transition_to_batch
from lerobot.core.processors.files import PipelineSource, Resolver, parse, sanitised
from lerobot.core.processors.serialization import (
    Overrides,
    build_steps,
    expected_state_keys,
    give_states,
    load_steps,
    pipeline_config,
    save_steps,
    state_keys,
)
from lerobot.core.processors.step import PipelineFeatures
from lerobot.core.processors.transition import (
    EnvTransition,
    TransitionKey,
    copied_transition,
    create_transition,
)
from lerobot.core.protocols.processor import ProcessorStep

TInput = TypeVar("TInput")
TOutput = TypeVar("TOutput")

StepHook = Callable[[int, EnvTransition], None]
"""Called with the number of a step and the transition before or after it; what it returns is ignored."""


class DataProcessorPipeline(Generic[TInput, TOutput]):
    """Steps in order.

    The input is never changed: it is copied as deep as its dicts go, arrays are shared.

    Args:
        steps: the steps.
        name: names the files of a saved pipeline.
        to_transition: makes a transition of the input; a dataset batch by default.
        to_output: makes the output of the last transition; a dataset batch by default.
        before_step_hooks: called before every step; they may change the transition.
        after_step_hooks: called after every step; they may change the transition.
    """

    def __init__(
        self,
        steps: Sequence[ProcessorStep] = (),
        name: str = "DataProcessorPipeline",
        *,
        to_transition: Callable[[TInput], EnvTransition] = batch_to_transition,  # type: ignore[assignment] # the default fixes TInput
        to_output: Callable[[EnvTransition], TOutput] = transition_to_batch,  # type: ignore[assignment] # and TOutput
        before_step_hooks: Sequence[StepHook] = (),
        after_step_hooks: Sequence[StepHook] = (),
    ) -> None:
        self.steps = list(steps)
        self.name = name
        self.to_transition = to_transition
        self.to_output = to_output
        self.before_step_hooks = list(before_step_hooks)
        self.after_step_hooks = list(after_step_hooks)
        self._loaded_state_keys: list[str | None] | None = None

    # --- running -----------------------------------------------------------------------------------------------------

    def __call__(self, data: TInput) -> TOutput:
        """Convert the input, run every step with its hooks, convert the output."""
        return self.to_output(self._forward(self.to_transition(data)))

    def _forward(self, transition: EnvTransition) -> EnvTransition:
        transition = copied_transition(transition)
        for index, step in enumerate(self.steps):
            for hook in self.before_step_hooks:
                hook(index, transition)
            transition = step(transition)
            for hook in self.after_step_hooks:
                hook(index, transition)
        return transition

    def step_through(self, data: TInput) -> Iterator[EnvTransition]:
        """Yield the transition before the first step and after every step; no hooks are called."""
        transition = copied_transition(self.to_transition(data))
        yield transition
        for step in self.steps:
            transition = step(transition)
            yield transition

    def reset(self) -> None:
        """Make every step forget the episode so far."""
        for step in self.steps:
            step.reset()

    def _process(self, key: TransitionKey, value: Any) -> Any:
        return self._forward({**create_transition(), key: value})[key]

    def process_observation(self, observation: dict[str, Any]) -> dict[str, Any]:
        """Run an observation alone, in an otherwise empty transition."""
        result: dict[str, Any] = self._process(TransitionKey.OBSERVATION, observation)
        return result

    def process_action(self, action: Any) -> Any:
        """Run an action alone, in an otherwise empty transition."""
        return self._process(TransitionKey.ACTION, action)

    def process_reward(self, reward: Any) -> Any:
        """Run a reward alone, in an otherwise empty transition."""
        return self._process(TransitionKey.REWARD, reward)

    def process_done(self, done: Any) -> Any:
        """Run an end flag alone, in an otherwise empty transition."""
        return self._process(TransitionKey.DONE, done)

    def process_truncated(self, truncated: Any) -> Any:
        """Run a cut-off flag alone, in an otherwise empty transition."""
        return self._process(TransitionKey.TRUNCATED, truncated)

    def process_info(self, info: dict[str, Any]) -> dict[str, Any]:
        """Run an info alone, in an otherwise empty transition."""
        result: dict[str, Any] = self._process(TransitionKey.INFO, info)
        return result

    def process_complementary_data(self, complementary_data: dict[str, Any]) -> dict[str, Any]:
        """Run complementary data alone, in an otherwise empty transition."""
        result: dict[str, Any] = self._process(TransitionKey.COMPLEMENTARY_DATA, complementary_data)
        return result

    # --- looking inside ----------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        """Number of steps."""
        return len(self.steps)

    @overload
    def __getitem__(self, index: int) -> ProcessorStep: ...

    @overload
    def __getitem__(self, index: slice) -> "DataProcessorPipeline[TInput, TOutput]": ...

    def __getitem__(self, index: int | slice) -> "ProcessorStep | DataProcessorPipeline[TInput, TOutput]":
        """One step, or a pipeline of some steps that shares them, the name, the converters and the hooks."""
        if isinstance(index, int):
            return self.steps[index]
        return DataProcessorPipeline(
            self.steps[index],
            self.name,
            to_transition=self.to_transition,
            to_output=self.to_output,
            before_step_hooks=self.before_step_hooks,
            after_step_hooks=self.after_step_hooks,
        )

    def __repr__(self) -> str:
        """Name and steps."""
        steps = ", ".join(step.registry_name or type(step).__name__ for step in self.steps)
        return f"{type(self).__name__}(name={self.name!r}, steps=[{steps}])"

    def transform_features(self, initial_features: Mapping[str, Mapping[str, Any]]) -> PipelineFeatures:
        """Say what the whole pipeline makes of features.

        Args:
            initial_features: features under `"observation"` and `"action"`; either may be absent.

        Raises:
            FeatureMismatchError: a step cannot work on what it would get; names step and keys.
        """
        features: PipelineFeatures = {key: dict(initial_features.get(key, {})) for key in ("observation", "action")}
        for index, step in enumerate(self.steps):
            try:
                features = step.transform_features({key: dict(entry) for key, entry in features.items()})
            except FeatureMismatchError as error:
                name = step.registry_name or type(step).__name__
                raise FeatureMismatchError(
                    f"step {index} ({name}) of {self.name!r}: {error.what}",
                    keys=error.keys,
                    expected=error.expected,
                    hint=error.hint,
                ) from error
        return features

    # --- hooks -------------------------------------------------------------------------------------------------------

    def register_before_step_hook(self, hook: StepHook) -> None:
        """Call `hook` before every step."""
        self.before_step_hooks.append(hook)

    def register_after_step_hook(self, hook: StepHook) -> None:
        """Call `hook` after every step."""
        self.after_step_hooks.append(hook)

    def unregister_before_step_hook(self, hook: StepHook) -> None:
        """Stop calling `hook` before every step; ValueError if it is not registered."""
        self.before_step_hooks.remove(hook)

    def unregister_after_step_hook(self, hook: StepHook) -> None:
        """Stop calling `hook` after every step; ValueError if it is not registered."""
        self.after_step_hooks.remove(hook)

    # --- saving and loading ------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """Describe the pipeline as its JSON file does, artifacts aside."""
        return pipeline_config(self.name, self.steps)

    def state_dict(self) -> dict[str, dict[str, Any]]:
        """Give the arrays of every step that has any, by the name of its state file without `.safetensors`."""
        keys = state_keys(self.name, self.steps)
        return {key: dict(step.state_dict()) for key, step in zip(keys, self.steps, strict=True) if key is not None}

    def load_state_dict(self, states: Mapping[str, Mapping[str, Any]]) -> None:
        """Take over arrays as `state_dict` gives them.

        Raises:
            CheckpointError: states are missing or belong to no step.
        """
        give_states(self._loaded_state_keys or state_keys(self.name, self.steps), self.steps, states)

    def save_pretrained(self, save_directory: str | Path | None = None, *, config_filename: str | None = None) -> Path:
        """Save the pipeline.

        Each file is replaced in one step and the JSON comes last; files of one pipeline keep their names, so whoever
        saves over an older checkpoint and must survive a crash saves to a new folder and swaps folders.

        Args:
            save_directory: folder; created if needed. Default: `<home>/processors/<name>`.
            config_filename: name of the JSON file; `<name>.json` if None.

        Returns:
            The folder.

        Raises:
            CheckpointError: a step cannot be saved.
        """
        folder = user_path(save_directory) if save_directory else lerobot_home() / "processors" / sanitised(self.name)
        save_steps(self.name, self.steps, folder, config_filename)
        return folder

    @classmethod
    def from_pretrained(
        cls,
        pretrained_model_name_or_path: str | Path,
        config_filename: str | None = None,
        *,
        overrides: Overrides | None = None,
        resolve: Resolver | None = None,
        trust_remote_code: bool = False,
        **converters: Any,
    ) -> Self:
        """Load a saved pipeline.

        Args:
            pretrained_model_name_or_path: folder, JSON file, or Hub repository id.
            config_filename: name of the JSON file in the folder or repository, such as `policy_preprocessor.json`.
            overrides: per step (registered name, or class name of a step without one) configuration values that
                replace the saved ones, and dependencies such as devices, which files cannot hold.
            resolve: how to fetch files from the Hub; without it only local paths are loaded.
            trust_remote_code: import steps the file names by module path; only for files you trust.
            **converters: `to_transition` and `to_output`.

        Raises:
            ProcessorMigrationError: the model was saved before processors had files.
            CheckpointError: a file is missing or damaged, or a step or a dependency cannot be had.
            ConfigError: a saved value or an override is wrong; one line per problem.
        """
        place = PipelineSource(pretrained_model_name_or_path, config_filename, resolve)
        described, steps = load_steps(place, overrides or {}, trust_remote_code=trust_remote_code)
        pipeline = cls(steps, described.name, **converters)
        pipeline._loaded_state_keys = expected_state_keys(described)
        return pipeline

    @classmethod
    def from_config(
        cls,
        config: Mapping[str, Any],
        *,
        overrides: Overrides | None = None,
        trust_remote_code: bool = False,
        **converters: Any,
    ) -> Self:
        """Build a pipeline from the content of its JSON; the arrays follow with `load_state_dict`.

        Args:
            config: as `get_config` gives it.
            overrides: see `from_pretrained`.
            trust_remote_code: see `from_pretrained`.
            **converters: `to_transition` and `to_output`.

        Raises:
            CheckpointError: a step or a dependency cannot be had.
            ConfigError: a value or an override is wrong; one line per problem.
        """
        described = parse(config, "config")
        steps = build_steps(described, "config", overrides or {}, trust_remote_code=trust_remote_code, place=None)
        pipeline = cls(steps, described.name, **converters)
        pipeline._loaded_state_keys = expected_state_keys(described)
        return pipeline


RobotProcessorPipeline = DataProcessorPipeline
"""A pipeline of robot actions or observations; give it the converters for them."""

PolicyProcessorPipeline = DataProcessorPipeline
"""A pipeline of dataset batches or policy actions."""
