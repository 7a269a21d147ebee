//! The examples that help pages end with. A test parses each with the command line itself, and looks up the recipes that they name.

/// A command and what it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Example {
    pub(super) purpose: &'static str,
    /// The words after the program's name.
    pub(super) arguments: &'static str,
}

const fn example(purpose: &'static str, arguments: &'static str) -> Example {
    Example { purpose, arguments }
}

/// The examples of a verb by its path; none for a verb that only has verbs below it and for hidden ones.
pub(super) fn of(path: &str) -> &'static [Example] {
    ALL.iter().find(|(verb, _)| *verb == path).map_or(&[], |(_, examples)| examples)
}

/// By the path of the verb; the first page has an empty one.
pub(super) const ALL: &[(&str, &[Example])] = &[
    ("", FIRST_PAGE),
    ("bench", BENCH),
    ("report", REPORT),
    ("selftest", SELFTEST),
    ("compare", COMPARE),
    ("gate", GATE),
    ("accept", ACCEPT),
    ("calibrate", CALIBRATE),
    ("sim", SIM),
    ("sim plan", SIM_PLAN),
    ("sim predict", SIM_PREDICT),
    ("sim serve", SIM_SERVE),
    ("sim fit", SIM_FIT),
    ("sim check", SIM_CHECK),
    ("recipe", RECIPE),
    ("recipe list", RECIPE_LIST),
    ("recipe show", RECIPE_SHOW),
    ("recipe check", RECIPE_CHECK),
    ("recipe pin", RECIPE_PIN),
    ("recipe new", RECIPE_NEW),
    ("recipe import", RECIPE_IMPORT),
    ("clean", CLEAN),
    ("pull-request", PULL_REQUEST),
    ("pull-request bench", PULL_REQUEST_BENCH),
    ("pull-request comment", PULL_REQUEST_COMMENT),
];

const FIRST_PAGE: &[Example] = &[
    example("Try it without hardware, on the simulated Spark", "bench --profile quick"),
    example("Measure a server that is already running", "bench --attach http://127.0.0.1:8000 --profile quick"),
    example("Boot an engine in a container and measure it", "bench --engine vllm --profile quick"),
    example("Ask which models serve ten users", "sim plan --users 10 --context 8000 --ttft-p95 2s"),
];

const BENCH: &[Example] = &[
    example("Measure a server that is already running", "bench --attach http://127.0.0.1:8000 --engine vllm --profile quick"),
    example("Boot a recipe and run two workloads only", "bench --recipe vllm-gpt-oss-120b --workload chat --workload office"),
    example("Measure a new image and judge it against the accepted baseline", "bench --engine vllm --treatment image"),
    example("Compare two recipes, alternating their boots", "bench --recipe my-server --against vllm --workload chat"),
];

const REPORT: &[Example] = &[
    example("Write report.md again, beside the record", "report runs/20261120-190512-vllm-standard"),
    example("Print the report instead", "report runs/20261120-190512-vllm-standard --stdout"),
];

const SELFTEST: &[Example] = &[
    example("Measure all loads: several minutes", "selftest"),
    example("Measure four loads: about 15 seconds, as `bench` does by itself", "selftest --quick"),
    example("Keep the table, and the figures as JSON beside it", "selftest --out selftest.md"),
    example("See a client that is too slow being caught", "selftest --quick --slow-ns-per-read 20000"),
];

const COMPARE: &[Example] = &[
    example("Judge runs/after against runs/before", "compare runs/before runs/after"),
    example("Judge the effect of another image", "compare runs/before runs/after --treatment image"),
    example("Count the boots of two runs together", "compare runs/before runs/after,runs/more-boots"),
    example("Print the verdict of a `bench --against` run as JSON", "compare runs/pair --stdout --format json"),
];

const GATE: &[Example] = &[
    example("Judge a run against the accepted baseline", "gate runs/today"),
    example("Fail a script if the result is inconclusive", "gate runs/today --inconclusive fail"),
    example("Judge it against another run", "gate runs/today --baseline runs/last-week"),
    example("Allow another image and other flags", "gate runs/today --treatment image --treatment flags"),
];

const ACCEPT: &[Example] = &[
    example("Accept a run of five boots or more", "accept runs/20261120-190512-vllm-standard --why 'first run with driver 580'"),
    example("Accept a run of three boots", "accept runs/today --why 'new image' --allow few-boots"),
    example("Name the person who accepts it", "accept runs/today --why 'new image' --who 'A. Person'"),
    example("Keep baselines in a folder of your own", "accept runs/today --why 'new image' --accepted-in my-baselines"),
];

const CALIBRATE: &[Example] = &[
    example("Estimate the noise from runs of four days", "calibrate runs/mon runs/tue runs/wed runs/thu"),
    example("Write the estimate to a file of your own", "calibrate runs/mon runs/tue runs/wed runs/thu --out my-noise.json"),
    example("Measure such a run: the same seed on each day", "bench --engine vllm --boots 3 --trials 2 --seed 1 --out runs/mon"),
    example("Simulate how often a verdict is wrong", "calibrate --simulate --out error-rates.md"),
];

const SIM: &[Example] = &[
    example("Ask which models serve ten users", "sim plan --users 10 --context 8000 --ttft-p95 2s"),
    example("Forecast the workloads for a model", "sim predict --model gpt-oss-120b-mxfp4"),
    example("Serve the simulated Spark for any OpenAI client", "sim serve --port 8009"),
    example("Fit a simulated engine to a run", "sim fit runs/today --max-step-tokens 2048 --out my-engine.toml"),
];

const SIM_PLAN: &[Example] = &[
    example("Ten users, prompts of 8000 tokens, 2 s to the first token", "sim plan --users 10 --context 8000 --ttft-p95 2s"),
    example("Chat: short prompts and answers", "sim plan --users 20 --context 1000 --output 300 --ttft-p95 800ms"),
    example("Long documents, one user", "sim plan --users 1 --context 60000 --ttft-p95 30s"),
    example("Two Sparks that serve one model together", "sim plan --users 10 --context 8000 --ttft-p95 2s --nodes 2"),
];

const SIM_PREDICT: &[Example] = &[
    example("All workloads for a described model", "sim predict --model gpt-oss-120b-mxfp4"),
    example("Two workloads only", "sim predict --model gpt-oss-20b-mxfp4 --workload chat --workload office"),
    example("Every point of each workload", "sim predict --model gpt-oss-120b-mxfp4 --profile full"),
    example("An engine that was fitted to a run of yours", "sim predict --params my-engine.toml --workload chat"),
];

const SIM_SERVE: &[Example] = &[
    example("Serve at http://127.0.0.1:8009/v1", "sim serve"),
    example("Serve an engine that was fitted to a run of yours", "sim serve --params my-engine.toml"),
    example("Run ten times as fast as the real engine", "sim serve --port 9000 --speed 10"),
    example("Reset 1 % of the connections in the middle of a stream", "sim serve --fault reset=0.01"),
];

const SIM_FIT: &[Example] = &[
    example("Show the fitted costs and how well they fit", "sim fit runs/today"),
    example("Name the engine's own limit, and keep the result", "sim fit runs/today --max-step-tokens 2048 --out my-engine.toml"),
    example("vLLM with asynchronous scheduling", "sim fit runs/today --async-scheduling --out my-engine.toml"),
    example("Measure such a run: closed loops only", "bench --engine vllm --workload chat --workload rag --out runs/today"),
];

const SIM_CHECK: &[Example] = &[
    example("Print the table of errors", "sim check published-runs"),
    example("Write the table and the fitted engines to files", "sim check published-runs --out errors.md --fits fitted"),
];

const RECIPE: &[Example] = &[
    example("List all recipes", "recipe list"),
    example("See the `docker run` command of one", "recipe show vllm"),
    example("Find mistakes before a run does", "recipe check vllm"),
    example("Begin one of your own", "recipe new my-server --from vllm"),
];

const RECIPE_LIST: &[Example] = &[example("List all recipes: built in, and in ./recipes", "recipe list")];

const RECIPE_SHOW: &[Example] = &[
    example("See a built-in recipe and its `docker run` command", "recipe show vllm"),
    example("See a file", "recipe show recipes/my-server.toml"),
];

const RECIPE_CHECK: &[Example] = &[
    example("Check all recipes", "recipe check"),
    example("Check two of them", "recipe check vllm llamacpp"),
    example("Check a file", "recipe check recipes/my-server.toml"),
];

const RECIPE_PIN: &[Example] = &[
    example("Pin a built-in recipe: a copy in ./recipes is written", "recipe pin vllm"),
    example("Pin a recipe of your own", "recipe pin my-server"),
];

const RECIPE_NEW: &[Example] = &[
    example("Begin recipes/my-server.toml as a copy of a built-in one", "recipe new my-server --from vllm"),
    example("Begin it as a copy of a file", "recipe new my-server --from ../other/recipe.toml"),
];

const RECIPE_IMPORT: &[Example] = &[
    example("Write recipes/qwen.toml", "recipe import qwen.yaml"),
    example("See it without writing it", "recipe import qwen.yaml --stdout"),
    example("Choose its name and folder", "recipe import qwen.yaml --out my-qwen --into my-recipes"),
    example("Import a recipe that also runs commands, without these", "recipe import qwen.yaml --allow-hooks"),
];

const CLEAN: &[Example] = &[example("Remove the containers of runs that were killed", "clean")];

const PULL_REQUEST: &[Example] = &[
    example("Measure, and write the comment to runs/pr", "pull-request bench --engine vllm --out runs/pr"),
    example("Send it", "pull-request comment --repository me/mine --number 12 --file runs/pr/comment.md"),
];

const PULL_REQUEST_BENCH: &[Example] = &[
    example("Measure, and write the comment to runs/pr", "pull-request bench --engine vllm --out runs/pr"),
    example("Allow another image than the baseline's", "pull-request bench --engine vllm --treatment image --out runs/pr"),
    example("Compare two recipes, alternating their boots", "pull-request bench --recipe my-server --against vllm --out runs/pr"),
    example("Try it without hardware", "pull-request bench --profile smoke --out runs/pr"),
];

const PULL_REQUEST_COMMENT: &[Example] = &[
    example("Open or update the comment", "pull-request comment --repository me/mine --number 12 --file runs/pr/comment.md"),
    example(
        "Comment also if there is no file",
        "pull-request comment --repository me/mine --number 12 --file new.md --or-say-why-not",
    ),
];
