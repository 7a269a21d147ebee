//! Finds the described machine and model of a record.

use std::collections::BTreeSet;

use record::{Boot, EngineName, Header};
use twin::description::{Machine, Model, machines, models};

/// Flags that spread a model over several machines of one GPU, so that the limits of one machine do not hold.
const MULTI_MACHINE_FLAGS: [&str; 17] = [
    "--tensor-parallel-size",
    "-tp",
    "--tp",
    "--tp-size",
    "--tp_size",
    "--pipeline-parallel-size",
    "--pp-size",
    "--pp_size",
    "--nnodes",
    "--rpc",
    "--tensor_parallel_size",
    "--pipeline_parallel_size",
    "-pp",
    "--pp",
    "--data-parallel-size",
    "--data_parallel_size",
    "-dp",
];

/// Flags whose value is the data type of the KV cache.
const CACHE_TYPE_FLAGS: [&str; 5] = ["--kv-cache-dtype", "--cache-type-k", "--cache-type-v", "-ctk", "-ctv"];

/// The environment variable with which Ollama sets the data type of the KV cache.
const CACHE_TYPE_VARIABLE: &str = "OLLAMA_KV_CACHE_TYPE";

/// Prefixes of KV cache data types with at least one byte per number.
const ONE_BYTE_CACHE_TYPES: [&str; 7] = ["fp8", "q8", "f16", "bf16", "float16", "bfloat16", "auto"];

/// Flags whose value is a quantisation.
const QUANTISATION_FLAGS: [&str; 2] = ["--quantization", "-q"];

/// The quantisation of models that were published in no other, so that their name alone tells it: gpt-oss.
const NATIVE_QUANTISATION: &str = "mxfp4";

/// A flag of a fork of vLLM (christopherowen/spark-vllm-mxfp4-docker) that names the layers narrowed besides the experts.
const NARROWING_FLAG: &str = "--mxfp4-layers";

/// Words for how weights are stored.
const QUANTISATION_WORDS: [&str; 18] = [
    "4bit",
    "8bit",
    "awq",
    "bf16",
    "bitsandbytes",
    "bnb",
    "f16",
    "fp16",
    "fp8",
    "gptq",
    "int4",
    "int8",
    "mxfp4",
    "mxfp8",
    "nvfp4",
    "w4a16",
    "w8a16",
    "w8a8",
];

/// A described machine and model.
pub(super) struct DescribedSetup {
    pub(super) machine: Machine,
    pub(super) model: Model,
    /// Whether all weights are stored as described. The weights of gpt-oss outside of experts, for instance, have sixteen bits as published, fewer in
    /// GGUF files, and a fork of vLLM narrows them as it loads.
    pub(super) is_whole: bool,
    /// Fewest bytes of a number in the KV cache: 1, since FP8 caches are common and not always declared, or 0 where the cache may be narrower.
    pub(super) cache_numbers_bytes: f64,
}

/// The described machine and model of a record; none where one of them or the quantisation of most weights is not known.
pub(super) fn find(header: &Header, boots: &[Boot]) -> Option<DescribedSetup> {
    let recorded = &header.machine;
    let matches = |machine: &Machine| {
        [Some(&recorded.name), recorded.gpu.as_ref()].into_iter().flatten().any(|name| machine.is_called(name))
    };
    let machine = machines().ok()?.into_iter().find(matches)?;
    let words = command_words(header, boots);
    if flag_values(&words, &MULTI_MACHINE_FLAGS).any(|value| value != "1") {
        return None;
    }
    let names = model_names(header, boots);
    let mut described = models().ok()?.into_iter().filter(|model| names.iter().any(|name| model.is_called(name)));
    let model = described.next().filter(|model| is_quantised_as(model, &names, &words))?;
    // An alias of one model for another.
    if described.next().is_some() {
        return None;
    }
    let variable = env(header).find(|(name, _)| *name == CACHE_TYPE_VARIABLE).map(|(_, value)| value);
    let has_bytes = |value: &str| ONE_BYTE_CACHE_TYPES.iter().any(|word| value.to_ascii_lowercase().starts_with(word));
    let cache_numbers_bytes = if flag_values(&words, &CACHE_TYPE_FLAGS).chain(variable).all(has_bytes) { 1.0 } else { 0.0 };
    let is_gguf = |name: &&str| name.to_ascii_lowercase().contains("gguf");
    let is_narrowed = words.iter().any(|word| word.split('=').next() == Some(NARROWING_FLAG));
    let is_whole = header.recipe.engine != EngineName::Llamacpp && !is_narrowed && !names.iter().chain(&words).any(is_gguf);
    Some(DescribedSetup { machine, model, is_whole, cache_numbers_bytes })
}

/// The names of the model: the id in requests, its source, and the model that the server reports under that id.
fn model_names<'r>(header: &'r Header, boots: &'r [Boot]) -> Vec<&'r str> {
    let model = &header.recipe.model;
    let loaded = boots.iter().flat_map(|boot| &boot.identity.served_models).filter_map(|served| {
        let (id, root) = served.strip_suffix(')')?.split_once(" (from ")?;
        (id == model.id).then_some(root)
    });
    [model.id.as_str(), model.source.as_str()].into_iter().chain(loaded).collect()
}

/// The words of every known command line.
fn command_words<'r>(header: &'r Header, boots: &'r [Boot]) -> Vec<&'r str> {
    let recipe = &header.recipe;
    let container = recipe.container.iter().flat_map(|container| container.entrypoint.iter().flatten().chain(&container.command));
    let process = recipe.process.iter().flat_map(|process| &process.command);
    let run = boots.iter().flat_map(|boot| &boot.command);
    container.chain(process).chain(run).flat_map(|word| word.split_whitespace()).collect()
}

fn env(header: &Header) -> impl Iterator<Item = (&str, &str)> {
    let container = header.recipe.container.iter().flat_map(|container| &container.env);
    let process = header.recipe.process.iter().flat_map(|process| &process.env);
    container.chain(process).map(|(name, value)| (name.as_str(), value.as_str()))
}

/// The values of flags, in either way of writing them.
fn flag_values<'w>(words: &'w [&'w str], flags: &'w [&'w str]) -> impl Iterator<Item = &'w str> {
    let next = words.iter().skip(1).copied().map(Some).chain([None]);
    words.iter().zip(next).filter_map(move |(word, next)| match word.split_once('=') {
        Some((flag, value)) => flags.contains(&flag).then_some(value),
        None => next.filter(|_| flags.contains(word)),
    })
}

/// The quantisation of most weights of a described model, which is the end of its name.
fn quantisation(model: &Model) -> &str {
    model.name.rsplit('-').next().unwrap_or_default()
}

/// Bits per weight of most weights, without their scales.
pub(super) fn stored_bits(model: &Model) -> f64 {
    match quantisation(model) {
        "mxfp4" | "nvfp4" => 4.0,
        "fp8" => 8.0,
        _ => 16.0,
    }
}

/// Whether all declared quantisations match that of the description. Most models are also published in bf16, so at least one declaration is needed,
/// except for models that are not.
fn is_quantised_as(model: &Model, names: &[&str], words: &[&str]) -> bool {
    let described = quantisation(model);
    let is_file = |word: &&&str| word.contains("${MODEL}") || word.to_ascii_lowercase().ends_with(".gguf");
    let files = words.iter().filter(is_file).copied();
    let declared: BTreeSet<String> =
        names.iter().copied().chain(flag_values(words, &QUANTISATION_FLAGS)).chain(files).flat_map(quantisations).collect();
    if declared.is_empty() { described == NATIVE_QUANTISATION } else { declared.iter().all(|word| word == described) }
}

/// The words of a name that declare a quantisation.
fn quantisations(name: &str) -> impl Iterator<Item = String> {
    let words: Vec<String> = name.split(|c: char| !c.is_ascii_alphanumeric()).map(str::to_ascii_lowercase).collect();
    words.into_iter().filter_map(|word| match word.as_str() {
        // ModelOpt's FP4 is NVIDIA's.
        "fp4" => Some("nvfp4".to_owned()),
        other if QUANTISATION_WORDS.contains(&other) => Some(word),
        // llama.cpp's: Q4_K_M, IQ3_XS.
        _ => {
            let digits = word.strip_prefix("iq").or_else(|| word.strip_prefix('q')).unwrap_or_default();
            digits.starts_with(|c: char| c.is_ascii_digit()).then_some(word)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{contained, identified, record};

    /// A header of a Spark that serves a model of that name from that source with those arguments.
    fn header(id: &str, source: &str, arguments: &str) -> Header {
        let mut header = record(Vec::new()).header;
        header.machine.name = "NVIDIA DGX Spark".to_owned();
        header.recipe.engine = EngineName::Vllm;
        (header.recipe.model.id, header.recipe.model.source) = (id.to_owned(), source.to_owned());
        header.recipe.process.as_mut().unwrap().command = vec!["serve".to_owned(), arguments.to_owned()];
        header
    }

    fn found(id: &str, source: &str, arguments: &str) -> Option<String> {
        find(&header(id, source, arguments), &[]).map(|known| format!("{}, {}", known.model.name, known.cache_numbers_bytes))
    }

    #[test]
    fn model_is_found_only_with_its_quantisation() {
        let cases = [
            ("gpt-oss-120b", "openai/gpt-oss-120b", "", Some("gpt-oss-120b-mxfp4, 1")),
            ("gpt-oss:20b", "gpt-oss:20b of ollama.com/library", "", Some("gpt-oss-20b-mxfp4, 1")),
            ("gpt-oss-20b", "unsloth/gpt-oss-20b-GGUF", "-hf ${MODEL}:Q4_K_M", None),
            ("gpt-oss-20b", "a file", "-m gpt-oss-20b-iq3_xs.gguf", None),
            ("simulated-gpt-oss-120b", "step times fitted to a published sweep", "", Some("gpt-oss-120b-mxfp4, 1")),
            ("nvidia/Llama-3.1-8B-Instruct-FP8", "", "--kv-cache-dtype fp8", Some("llama-3.1-8b-fp8, 1")),
            // Also published in bf16.
            ("8b", "meta-llama/Llama-3.1-8B-Instruct", "", None),
            ("8b", "meta-llama/Llama-3.1-8B-Instruct", "--quantization fp8", Some("llama-3.1-8b-fp8, 1")),
            ("8b", "meta-llama/Llama-3.1-8B-Instruct", "--quantization=awq", None),
            // An alias of one for another.
            ("gpt-oss-120b", "openai/gpt-oss-20b", "", None),
            ("tiny", "example/tiny", "", None),
        ];
        for (id, source, arguments, expected) in cases {
            assert_eq!(found(id, source, arguments).as_deref(), expected, "{id} of {source} with {arguments}");
        }
    }

    #[test]
    fn gguf_and_narrowed_weights_are_not_whole() {
        let is_whole = |header: &Header| find(header, &[]).map(|known| known.is_whole);
        let mut plain = header("gpt-oss-20b", "openai/gpt-oss-20b", "");
        assert_eq!(is_whole(&plain), Some(true));
        assert_eq!(is_whole(&header("gpt-oss-20b", "ggml-org/gpt-oss-20b-GGUF", "-hf ${MODEL}")), Some(false));
        assert_eq!(is_whole(&header("gpt-oss-20b", "", "-m gpt-oss-20b.gguf")), Some(false));
        assert_eq!(is_whole(&header("gpt-oss-20b", "", "--mxfp4-layers moe,qkv,o,lm_head")), Some(false));
        plain.recipe.engine = EngineName::Llamacpp;
        assert_eq!(is_whole(&plain), Some(false));
    }

    #[test]
    fn flags_change_the_limits() {
        let with = |arguments| found("gpt-oss-120b", "", arguments);
        assert_eq!(with("--tensor-parallel-size 1").as_deref(), Some("gpt-oss-120b-mxfp4, 1"));
        assert_eq!(with("--tensor-parallel-size 2"), None);
        assert_eq!(with("--rpc=10.0.0.2:50052"), None);
        assert_eq!(with("--kv-cache-dtype fp8_e5m2 -ctk q8_0").as_deref(), Some("gpt-oss-120b-mxfp4, 1"));
        assert_eq!(with("--cache-type-v q4_0").as_deref(), Some("gpt-oss-120b-mxfp4, 0"));
        let mut ollama = header("gpt-oss:20b", "", "");
        let env = &mut ollama.recipe.process.as_mut().unwrap().env;
        env.insert(CACHE_TYPE_VARIABLE.to_owned(), "q4_0".to_owned());
        assert!(find(&ollama, &[]).is_some_and(|known| known.cache_numbers_bytes == 0.0));
    }

    #[test]
    fn machine_is_found_by_name_or_gpu_and_model_by_served_name() {
        let mut run = contained();
        assert!(find(&run.header, &run.boots).is_none(), "a model that nobody describes");
        let mut boot = identified(0);
        boot.identity.served_models =
            vec!["tiny (from openai/gpt-oss-20b)".to_owned(), "other (from openai/gpt-oss-120b)".to_owned()];
        run.boots = vec![boot];
        assert_eq!(find(&run.header, &run.boots).map(|known| known.model.name).as_deref(), Some("gpt-oss-20b-mxfp4"));
        run.header.machine.gpu = Some("NVIDIA H100".to_owned());
        assert!(find(&run.header, &run.boots).is_none());
    }
}
