"""Pages of trainings and evaluations: what was started, how it goes, what came of it."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from lerobot.core.errors import LeRobotError
from lerobot.studio.forms.pages import command_routes
from lerobot.studio.learn.outputs import Checkpoint, Evaluation, Training, evaluations, policies, trainings
from lerobot.studio.learn.rollout import rollout_routes
from lerobot.studio.runs.run import Run
from lerobot.studio.runs.store import Runs
from lerobot.studio.shell import form_fields, render

OUTPUTS = Path("outputs")
"""Where commands write unless they are told; the studio and its commands have the same working folder."""


def routes() -> list[Route]:
    """The routes of this room."""
    return [
        *command_routes("/train", "train", "train.html", lambda request: {"trainings": trainings(_places(request))}),
        *command_routes("/evaluate", "eval", "evaluate.html", _evaluate_values),
        *rollout_routes(lambda request: policies(_places(request))),
        Route("/train/view", training_page),
        Route("/train/curves", curves),
        Route("/train/resume", resume, methods=["POST"]),
        Route("/train/of/{run}", training_of_run),
        Route("/evaluate/view", evaluation_page),
        Route("/evaluate/choose", choose),
        Route("/film", film),
    ]


# --- training --------------------------------------------------------------------------------------------------------


def training_page(request: Request) -> Response:
    """One training: curves, checkpoints, films."""
    training = _training(request, request.query_params.get("folder", ""))
    run = next((run for run in _runs(request).running() if _folder_of(run, [training]) == training.folder), None)
    links = {each.folder: _uses(request, each) for each in training.checkpoints}
    return render(request, "training.html", training=training, run=run, films=training.films(), uses=links)


def curves(request: Request) -> Response:
    """Measurements of a training as JSON, column by column."""
    return JSONResponse(_training(request, request.query_params.get("folder", "")).curves())


async def resume(request: Request) -> Response:
    """Go on with a training from its newest checkpoint."""
    fields = dict(await form_fields(request))
    training = _training(request, fields.get("folder", ""))
    if training.resumption is None:
        raise LeRobotError(f"{training.folder} has no checkpoint to go on from.")
    steps = fields.get("steps", "")
    more = [f"--steps={steps}"] if steps.isdecimal() and int(steps) != training.steps else []
    run = _runs(request).start("train", [f"--config_path={training.resumption}", "--resume=true", *more])
    return RedirectResponse(f"/run/{run.id}", 303)


def training_of_run(request: Request) -> Response:
    """Where the training of a run is shown, once it has measured something."""
    run = _runs(request).get(request.path_params["run"])
    return render(request, "training_link.html", run=run, folder=_folder_of(run, trainings(_places(request))))


def _training(request: Request, folder: str) -> Training:
    found = next((each for each in trainings(_places(request)) if str(each.folder) == folder), None)
    if found is None:
        raise LeRobotError(f"There is no training {folder!r}.")
    return found


def _folder_of(run: Run, known: list[Training]) -> Path | None:
    """The folder that a run of `train` writes to: the one it was told, or the first that appeared after it began."""
    if run.command != "train":
        return None
    told = _told(run)
    if config := told.get("--config_path"):
        return next((each.folder for each in known if each.folder in Path(config).absolute().parents), None)
    if output := told.get("--output_dir"):
        return next((each.folder for each in known if each.folder == Path(output).absolute()), None)
    # Without a word about it the folder is named after the moment: outputs/train/2026-01-31/12-59-59_act.
    later = sorted((each.folder for each in known if _is_of(each.folder, run)), key=lambda folder: folder.parts[-2:])
    return later[0] if later else None


def _is_of(folder: Path, run: Run) -> bool:
    begun = time.strftime("%Y-%m-%d/%H-%M-%S", time.localtime(run.started_s))
    return "/".join(folder.parts[-2:]) >= begun and folder.parts[-3:-2] == ("train",)


# --- evaluation ------------------------------------------------------------------------------------------------------


def evaluation_page(request: Request) -> Response:
    """One evaluation: its tasks and its films; of a comparison, beside the others."""
    chosen = request.query_params.get("folder", "")
    found = [each for each in evaluations(_places(request)) if chosen in {str(each.folder), str(each.compared)}]
    if not found:
        raise LeRobotError(f"There is no evaluation {chosen!r}.")
    return render(request, "evaluation.html", evaluations=found, films={each.folder: each.films() for each in found})


def choose(request: Request) -> Response:
    """Fill the form in with the policies that were ticked: the first, and those to compare it with."""
    chosen = request.query_params.getlist("policy")
    if not chosen:
        return RedirectResponse("/evaluate", 303)
    kept = _remembered(request, "eval", without=("--policy.", "--compare"))
    others = ", ".join(f"{{path: {_quoted(path)}}}" for path in chosen[1:])
    arguments = [f"--policy.path={chosen[0]}", *([f"--compare=[{others}]"] if others else []), *kept]
    return RedirectResponse(f"/evaluate?{_query(arguments)}", 303)


def _evaluate_values(request: Request) -> Mapping[str, Any]:
    places = _places(request)
    return {"evaluations": evaluations(places), "policies": policies(places)}


# --- films and links -------------------------------------------------------------------------------------------------


def film(request: Request) -> Response:
    """Hand out a film of a training or an evaluation, any part of it at a time."""
    folder, name = request.query_params.get("folder", ""), request.query_params.get("name", "")
    places = _places(request)
    known: list[Training | Evaluation] = [*trainings(places), *evaluations(places)]
    for each in known:
        path = (each.folder / name).resolve()
        is_inside = str(each.folder) == folder and path.is_relative_to(each.folder.resolve())
        if is_inside and path.suffix == ".mp4" and path.is_file():
            return FileResponse(path, media_type="video/mp4")
    raise LeRobotError(f"There is no film {name!r}.")


def _uses(request: Request, checkpoint: Checkpoint) -> dict[str, str]:
    """What may be done with a checkpoint: names of buttons with the pages they open."""
    chosen = [f"--policy.path={checkpoint.folder}"]
    evaluate = _query([*chosen, *_remembered(request, "eval", without=("--policy.", "--compare"))])
    roll_out = _query([*chosen, *_remembered(request, "rollout", without=("--policy.",))])
    return {"Evaluate": f"/evaluate?{evaluate}", "Roll out": f"/rollout?{roll_out}"}


def _remembered(request: Request, command: str, without: tuple[str, ...]) -> list[str]:
    return [word for word in request.app.state.remembered.arguments(command) if not word.startswith(without)]


def _query(arguments: list[str]) -> str:
    return urlencode([("argument", argument) for argument in arguments])


def _quoted(path: str) -> str:
    return "'" + path.replace("'", "''") + "'"


def _places(request: Request) -> list[Path]:
    """Where to look: the usual folder, and those that runs were told to write to."""
    told = (_told(run).get("--output_dir") for run in _runs(request).all())
    return [OUTPUTS.absolute(), *dict.fromkeys(Path(folder).absolute() for folder in told if folder)]


def _told(run: Run) -> dict[str, str]:
    """Flags of a run with their values, as they were typed."""
    pairs = (word.partition("=") for word in run.arguments)
    return {flag: value for flag, _, value in pairs}


def _runs(request: Request) -> Runs:
    runs: Runs = request.app.state.runs
    return runs
