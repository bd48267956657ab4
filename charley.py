"""Charley's composition root: settings are read here once, parts are put together here, one command per role."""

try:
    from ingest.starting import say_starting

    say_starting()
    import importlib.metadata
    import os
    import time
    from collections.abc import Sequence
    from contextlib import ExitStack
    from importlib.util import find_spec
    from pathlib import Path
    from typing import Annotated, Final, Literal

    import typer
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Column, Table

    from api.access import load_or_create_token
    from api.app import create_app, make_server
    from api.diary.command import run_diary
    from api.errors import ApiError
    from api.reading import Sources
    from api.registry import open_registry, server_of
    from api.registry.copy import restore_registry, snapshot_registry
    from api.statistics.power_tables import Presumed
    from api.trials.command import run_trial
    from api.trials.planner import RATIOS, WANTED, Ask
    from api.trials.planner_command import run_plan
    from detector import DetectorError
    from ingest.archive import Archive
    from ingest.broker import start_broker
    from ingest.doctor.command import run_doctor
    from ingest.ending import stop_event, when_asked_to_end
    from ingest.errors import IngestError
    from ingest.journal import Journal
    from ingest.keeping import RegistryTools, registry_url
    from ingest.keeping.command import run_backup, run_restore
    from ingest.log import json_log
    from ingest.metrics import Metrics
    from ingest.metrics import serve as serve_metrics
    from ingest.mqtt import MqttSource, mqtt_settings
    from ingest.quarantine.command import run_quarantine
    from ingest.recording import parse_options
    from ingest.recording.command import Output, run_detect
    from ingest.service import Options, Service
    from ingest.settings import PREFIX, Settings, SettingsError, load_settings, shown
    from ingest.store.command import run_migrate
    from ingest.store.opening import open_store
    from simulators.command import Broker, run_compare, run_demo, run_simulate
    from simulators.demo import NIGHTS
    from simulators.errors import SimulatorError
    from simulators.processes import check_free, empty, free_pair
except KeyboardInterrupt:  # it takes seconds until all is imported
    raise SystemExit(130) from None

REGISTRY: Final = RegistryTools(snapshot=snapshot_registry, restore=restore_registry, server=server_of)
DEMO_SEED: Final = 14
REPORT: Final = Path("docs/accuracy.md")
WIDE: Final = 10_000  # characters: what no terminal shows is neither folded nor cut

app = typer.Typer(
    help="Detects muscle cramps from leg wearables.", no_args_is_help=True, add_completion=False,
    pretty_exceptions_enable=False,  # they may show what variables hold, passwords too
)  # fmt: skip
out, err = Console(), Console(stderr=True)


@app.command()
def settings() -> None:
    """Print every setting, its value now and what it means; secrets are masked."""
    current = load_settings(os.environ)
    table = Table(Column("setting", no_wrap=True), Column("value", overflow="fold"), "meaning")
    for name, field in Settings.model_fields.items():
        table.add_row(PREFIX + name.upper(), escape(shown(getattr(current, name))), field.description)
    out.print(table)


@app.command()
def ingest(*, tied: Annotated[bool, typer.Option(hidden=True)] = False) -> None:
    """Take blocks from the broker, detect, and keep what was found."""
    current = _prepare(load_settings(os.environ))
    stop = stop_event(tied=tied)
    log, metrics = json_log(level=current.log_level), Metrics()
    with ExitStack() as stack:
        journal = Journal(current.data_dir / "journal.sqlite")
        stack.callback(journal.close)
        store = open_store(current)
        stack.callback(store.close)
        check_free(current.metrics_port, mend="Choose another: CHARLEY_METRICS_PORT")  # before it is connected
        source = MqttSource(mqtt_settings(current), log=log, new=journal.created)
        stack.callback(source.close)
        metrics.connected.set_function(lambda: source.subscribed)
        metrics.queue_bytes.set_function(lambda: source.queued_bytes)
        metrics.limited.set_function(lambda: len(source.limited))
        service = Service(
            source, journal, store, Archive(current.data_dir / "archive"),
            options=Options(min_free_bytes=current.min_free_mb << 20, archive_after_s=current.archive_after_s),
            metrics=metrics, log=log, connected=lambda: source.subscribed, version=_version(),
        )  # fmt: skip
        stack.callback(service.close)
        if current.metrics_port:
            stack.callback(serve_metrics(metrics, port=current.metrics_port, ready=service.standing))
        service.check()
        service.run(stop)


@app.command()
def api(*, tied: Annotated[bool, typer.Option(hidden=True)] = False) -> None:
    """Serve the HTTP API and the page."""
    current = _prepare(load_settings(os.environ))
    check_free(current.api_port, host=current.api_host, mend="Choose another: CHARLEY_API_PORT")
    token = load_or_create_token(current.data_dir / "admin-token")
    with ExitStack() as stack:
        sources = _sources(current, stack)
        application = create_app(
            registry=sources.registry, store=sources.store, admin_token=token, data_dir=current.data_dir,
            version=_version(),
        )  # fmt: skip
        server = make_server(application, host=current.api_host, port=current.api_port)
        when_asked_to_end(lambda: setattr(server, "should_exit", True), tied=tied)
        err.print(f"API and page at http://{current.api_host}:{current.api_port}; admin token in the data folder")
        server.run()


@app.command()
def simulate(
    scenario: Annotated[str, typer.Argument(help="a scenario; --list names them")] = "",
    *,
    list_: Annotated[bool, typer.Option("--list", help="name the scenarios and end")] = False,
    seed: Annotated[int, typer.Option(help="another seed, another life")] = DEMO_SEED,
    speed: Annotated[float, typer.Option(help="times real time; 0 is as fast as possible")] = 0.0,
    edf: Annotated[Path | None, typer.Option(help="write EDF+ recordings here instead of publishing")] = None,
    truth: Annotated[Path | None, typer.Option(help="write the truth of each device here")] = None,
) -> None:
    """Publish simulated wearables to the broker, or write them as recordings with their truth."""
    code = run_simulate(
        "" if list_ else scenario, seed=seed, speed=speed, edf=edf, truth=truth,
        broker=lambda: _broker(load_settings(os.environ)), stop=lambda: stop_event(tied=False), out=out, err=err,
    )  # fmt: skip
    raise typer.Exit(code)


@app.command(name="detect")
def detect_files(
    places: Annotated[list[Path], typer.Argument(help="recordings, and folders of them: EDF, BDF, CSV, Parquet, HDF5")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON, with seconds from each file's start")] = False,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="print JSON, a line for each file")] = False,
    csv: Annotated[Path | None, typer.Option(help="write the episodes of all files here")] = None,
    plot: Annotated[Path | None, typer.Option(help="folder for a PNG of each recording, or one PNG")] = None,
    channel: Annotated[list[str], typer.Option(help="what a channel is: EMG1=emg:soleus, A1=acc:shank:x, B=none")] = [],  # noqa: B006
    unit: Annotated[list[str], typer.Option(help="the unit of a channel: EMG1=mV, or count")] = [],  # noqa: B006
    rate: Annotated[list[str], typer.Option(help="samples a second, where the file states none: 1000")] = [],  # noqa: B006
    jobs: Annotated[int, typer.Option(help="files at a time; 0 is one for each processor", min=0)] = 0,
) -> None:
    """Find cramps in recordings with the same code that runs on live devices."""
    options = parse_options(channels=channel, units=unit, rates=rate)
    output = Output(json=as_json, jsonl=jsonl, csv=csv, plots=plot)
    raise typer.Exit(run_detect(places, options, output, workers=jobs, out=out, err=err))


@app.command()
def doctor(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
    no_broker_load: Annotated[bool, typer.Option("--no-broker-load", help="do not test the broker's queue")] = False,
    mosquitto_conf: Annotated[Path | None, typer.Option(help="Mosquitto's configuration, to be read too")] = None,
) -> None:
    """Look for whatever silently loses data elsewhere, and say how to mend it."""
    code = run_doctor(
        load_settings(os.environ), open_store=open_store, as_json=as_json, broker_load=not no_broker_load,
        mosquitto_conf=mosquitto_conf, tools=REGISTRY, out=out, err=err,
    )  # fmt: skip
    raise typer.Exit(code)


@app.command()
def backup(
    to: Annotated[Path, typer.Argument(help="folder that is made; one that exists gets a folder in it")],
) -> None:
    """Copy everything that a site owns, while it runs."""
    raise typer.Exit(run_backup(load_settings(os.environ), to, tools=REGISTRY, open_store=open_store, out=out, err=err))


@app.command()
def restore(
    source: Annotated[Path, typer.Argument(help="a backup")],
    *,
    keep_store: Annotated[bool, typer.Option(help="leave the store alone: it has its own backup")] = False,
) -> None:
    """Make the site of a backup in the data folder, which must be empty."""
    current = load_settings(os.environ)
    code = run_restore(current, source, keep_store=keep_store, tools=REGISTRY, open_store=open_store, out=out, err=err)
    raise typer.Exit(code)


@app.command()
def migrate(
    to: Annotated[Literal["sqlite", "influxdb"], typer.Argument(help="the store to copy everything into")],
    *,
    file: Annotated[Path | None, typer.Option(help="the SQLite file, if not the one in the data folder")] = None,
) -> None:
    """Copy all records from one store into the other, and read both again."""
    raise typer.Exit(run_migrate(load_settings(os.environ), to=to, file=file, out=out, err=err))


@app.command()
def quarantine(
    action: Annotated[Literal["list", "show", "replay", "drop"], typer.Argument(help="what to do")] = "list",
    ids: Annotated[list[int] | None, typer.Argument(help="which, by the numbers that list gives")] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="all that the options leave")] = False,
    device: Annotated[str, typer.Option(help="of this device only")] = "",
    reason: Annotated[str, typer.Option(help="set aside for this reason only")] = "",
    since: Annotated[str, typer.Option(help="received since then: 2026-11-23, or 90m, 12h, 7d ago")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """What could not be used and was set aside: look at it, give it another try, or drop it."""
    code = run_quarantine(
        load_settings(os.environ), action, ids or (), everything=everything, device=device, reason=reason,
        since=since, as_json=as_json, open_store=open_store, out=out, err=err,
    )  # fmt: skip
    raise typer.Exit(code)


@app.command()
def diary(
    action: Annotated[Literal["import", "export", "template", "list"], typer.Argument(help="what to do")],
    wearer: Annotated[str, typer.Argument(help="id of the wearer")] = "",
    file: Annotated[Path | None, typer.Argument(help="CSV; - or none is standard output")] = None,
    *,
    skip_bad: Annotated[bool, typer.Option(help="keep the good rows of a file that has bad ones")] = False,
    begin: Annotated[str | None, typer.Option("--from", help="local date: 2026-11-01")] = None,
    end: Annotated[str | None, typer.Option("--to", help="local date, included")] = None,
) -> None:
    """What a wearer reports: cramps felt, what was taken or done, what went on, laboratory values."""
    with ExitStack() as stack:
        registry = _sources(_prepare(load_settings(os.environ)), stack).registry
        now_ns = time.time_ns()
        code = run_diary(
            registry, action, wearer, file, skip_bad=skip_bad, begin=begin, end=end, now_ns=now_ns, out=out, err=err
        )
    raise typer.Exit(code)


@app.command()
def trial(
    action: Annotated[
        Literal["register", "list", "show", "schedule", "join", "leave", "report"], typer.Argument(help="what to do")
    ],
    subject: Annotated[str, typer.Argument(help="id of the trial; to register, the file of its plan")] = "",
    wearer: Annotated[str, typer.Argument(help="id of the wearer who joins or leaves")] = "",
    *,
    day: Annotated[str, typer.Option(help="first day of who joins, last of who leaves: 2026-11-01")] = "",
    reason: Annotated[str, typer.Option(help="why they leave")] = "",
    html: Annotated[Path | None, typer.Option(help="write the report here, for a browser or to print")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Did it help? Register a plan, say who takes part, read the schedule and what came out."""
    with ExitStack() as stack:
        sources = _sources(_prepare(load_settings(os.environ), make=action == "register"), stack)
        file = Path(subject) if action == "register" and subject else None
        code = run_trial(
            sources, action, "" if file else subject, wearer, plan=file, day=day, reason=reason, html=html,
            as_json=as_json, version=_version(), out=out, err=err,
        )  # fmt: skip
    raise typer.Exit(code)


@app.command(name="plan")
def plan_trial(
    *,
    rate: Annotated[float, typer.Option(help="cramps a week without treatment")],
    design: Annotated[
        Literal["before_after", "n_of_1", "crossover", "parallel", "factorial"], typer.Option(help="of the trial")
    ] = "n_of_1",
    ratio: Annotated[list[float], typer.Option(help="true ratio to find; may be repeated")] = list(RATIOS),  # noqa: B006
    block_weeks: Annotated[int | None, typer.Option(help="weeks of a block")] = None,
    cycles: Annotated[int | None, typer.Option(help="pairs of blocks of one person")] = None,
    wearers: Annotated[int | None, typer.Option(help="all who begin")] = None,
    power: Annotated[float, typer.Option(help="wanted")] = WANTED,
    usable: Annotated[float, typer.Option(help="share of nights that the device sees")] = 0.9,
    false_alarms: Annotated[float, typer.Option(help="of the device, a night")] = 0.1,
) -> None:
    """How long a trial must be, or how many must take part, before it is begun."""
    asks = [
        Ask(
            design, Presumed(per_week=rate, ratio=one, usable=usable, false_alarms=false_alarms),
            block_weeks=block_weeks, cycles=cycles, wearers=wearers, power=power,
        )
        for one in ratio
    ]  # fmt: skip
    raise typer.Exit(run_plan(asks, out=out, err=err))


@app.command(name="compare")
def compare_truth(
    truths: Annotated[Path, typer.Argument(help="folder of truth files, or one file")] = Path("data/demo/truth"),
    *,
    url: Annotated[str, typer.Option(help="the API")] = "http://127.0.0.1:8000",
    token_file: Annotated[Path, typer.Option(help="file with the admin token")] = Path("data/demo/admin-token"),
) -> None:
    """Hold the episodes that the API gives against the simulator's truth."""
    run_compare(truths, url=url, token_file=token_file, out=out)


@app.command()
def demo(
    data_dir: Annotated[Path, typer.Option(help="emptied at each start")] = Path("data/demo"),
    *,
    port: Annotated[int, typer.Option(help="port of the page")] = 8000,
    seed: Annotated[int, typer.Option(help="another seed, other lives")] = DEMO_SEED,
    nights: Annotated[int, typer.Option(hidden=True)] = NIGHTS,
) -> None:
    """Broker, ingester, API and three simulated wearers in one command; Ctrl-C ends them all."""
    check_free(port, mend="Choose another: --port 8001")
    empty(data_dir, port=port)
    broker_port = free_pair()
    environment = {key: value for key, value in os.environ.items() if not key.startswith(PREFIX)} | {
        "CHARLEY_DATA_DIR": str(data_dir),
        "CHARLEY_BROKER_PORT": str(broker_port),
        "CHARLEY_API_PORT": str(port),
        "CHARLEY_CLIENT_ID": f"charley-demo-{os.getpid()}-{broker_port}",
    }
    run_demo(
        data_dir, port=port, broker_port=broker_port, seed=seed, nights=nights, environment=environment,
        start_broker=lambda: start_broker(data_dir, port=broker_port), stop=stop_event(tied=False), out=out, err=err,
    )  # fmt: skip


@app.command(name="evaluate")
def evaluate_accuracy(
    *,
    quick: Annotated[bool, typer.Option(help="two seeds of each scenario instead of all")] = False,
    jobs: Annotated[int, typer.Option(help="processes; 0 is one for each processor", min=0)] = 0,
    to: Annotated[Path, typer.Option("--out", help="the report; figures and JSON go beside it")] = REPORT,
    generator: Annotated[list[str], typer.Option(help="of simulated legs: ours, shaped, spikes")] = [],  # noqa: B006
    scenario: Annotated[list[str], typer.Option(help="these scenarios only")] = [],  # noqa: B006
    seeds: Annotated[str, typer.Option(help="these seeds only: 0,1,2")] = "",
    real: Annotated[Path | None, typer.Option(help="folder of real recordings without cramps", exists=True)] = None,
) -> None:
    """Measure how well the detector does on simulated and real legs, and write the report."""
    if find_spec("benchmarks") is None:
        raise SettingsError("charley evaluate needs a checkout of the project, where `make evaluate` runs it")
    from benchmarks.accuracy.command import run_evaluate  # noqa: PLC0415 - an installed package lacks it

    code = run_evaluate(
        to, quick=quick, jobs=jobs, generators=generator, names=scenario, seeds=seeds, real=real, out=out, err=err
    )
    raise typer.Exit(code)


def _sources(current: Settings, stack: ExitStack) -> Sources:
    """Registry and store, open until the stack ends."""
    registry = open_registry(registry_url(current, current.data_dir))
    stack.callback(registry.close)
    store = open_store(current)
    stack.callback(store.close)
    return Sources(registry, store, time.time_ns)


def _broker(current: Settings) -> Broker:
    password = current.broker_password.get_secret_value() if current.broker_password else None
    return Broker(current.broker_host, current.broker_port, current.broker_username, password, current.broker_tls_ca)


def _prepare(current: Settings, *, make: bool = True) -> Settings:
    """The same settings, with the data folder made, or a word where it should have been there."""
    if not (make or current.registry_url or current.data_dir.exists()):
        raise SettingsError(f"There is no registry yet: no folder CHARLEY_DATA_DIR={current.data_dir}")
    try:
        current.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)  # health data
    except OSError as error:
        raise SettingsError(f"CHARLEY_DATA_DIR={current.data_dir} cannot be made: {error.strerror}") from error
    return current


def _version() -> str:
    return importlib.metadata.version("charley")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; errors that a person can mend are one sentence, not a traceback."""
    for console in (out, err):
        if not (console.is_terminal or "COLUMNS" in os.environ):
            console.width = WIDE
    try:
        app(arguments)
    except (IngestError, SimulatorError, ApiError, DetectorError, OSError) as error:
        err.print(f"[red]charley:[/red] {escape(str(error))}", soft_wrap=True, highlight=False)
        raise SystemExit(2) from error
    except KeyboardInterrupt:
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
