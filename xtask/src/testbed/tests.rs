use std::process::Command;

use super::*;

/// A component that is made by writing one file.
const TOY: Component = Component {
    name: "toy",
    what: "a toy",
    cost: "nothing",
    made_from: &["pins 1\n"],
    layout: 1,
    proof: "bin/toy",
    image: None,
    make: |_, folder| {
        fs::create_dir_all(folder.join("bin"))?;
        fs::write(folder.join("bin/toy"), "made")?;
        Ok(())
    },
};

fn toy_content(root: &Path) -> Option<String> {
    fs::read_to_string(root.join("toy/bin/toy")).ok()
}

#[test]
fn single_engine_needs_tools_and_model_only() {
    let names = |only| needed(only).iter().map(|component| component.name).collect::<Vec<_>>();
    assert_eq!(names(None), ["tools", "model", "llamacpp", "llamacpp-image", "vllm", "vllm-image"]);
    assert_eq!(names(Some(Engine::Llamacpp)), ["tools", "model", "llamacpp", "llamacpp-image"]);
    assert_eq!(names(Some(Engine::Vllm)), ["tools", "model", "vllm", "vllm-image"]);
}

#[test]
fn component_descriptions_match_their_pins() {
    for component in [component::LLAMACPP, component::VLLM] {
        assert!(component.made_from.concat().contains(&component.what.replace(' ', "==")), "{}", component.what);
    }
    for (image, environment) in [(component::LLAMACPP_IMAGE, component::LLAMACPP), (component::VLLM_IMAGE, component::VLLM)] {
        let (_, tag) = image.what.split_once(':').unwrap();
        assert!(environment.what.ends_with(&format!(" {tag}")), "{}", image.what);
    }
    assert!(component::TOOLS.made_from.concat().contains("uv==0.13.8") && component::TOOLS.what.contains("uv 0.13.8"));
}

#[test]
fn finished_component_is_kept_and_new_pins_rebuild_it() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("testbed");
    prepare(&root, &[&TOY]).unwrap();
    assert_eq!(toy_content(&root).as_deref(), Some("made"));

    fs::write(root.join("toy/bin/toy"), "kept").unwrap();
    prepare(&root, &[&TOY]).unwrap();
    assert_eq!(toy_content(&root).as_deref(), Some("kept"));

    let newer = Component { made_from: &["pins 2\n"], ..TOY };
    assert!(!stamp::is_whole(&root, &newer));
    prepare(&root, &[&newer]).unwrap();
    assert_eq!(toy_content(&root).as_deref(), Some("made"));
}

#[test]
fn interrupted_component_is_cleared_by_the_next_run() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("testbed");
    fs::create_dir_all(root.join("toy/bin")).unwrap();
    fs::write(root.join("toy/bin/toy"), "half").unwrap();
    fs::write(root.join("toy/leftover"), "").unwrap();
    assert!(!stamp::is_whole(&root, &TOY));
    prepare(&root, &[&TOY]).unwrap();
    assert_eq!(toy_content(&root).as_deref(), Some("made"));
    assert!(!root.join("toy/leftover").exists());
}

#[test]
fn component_without_its_proof_file_is_incomplete() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("testbed");
    prepare(&root, &[&TOY]).unwrap();
    fs::remove_file(root.join("toy/bin/toy")).unwrap();
    assert!(!stamp::is_whole(&root, &TOY));
}

#[test]
fn failed_component_has_no_stamp() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("testbed");
    let broken = Component {
        make: |workshop, folder| {
            (TOY.make)(workshop, folder)?;
            workshop.run(
                "frob the toy",
                Command::new("sh").args(["-c", "seq 40; cat; echo no more room >&2; exit 7"]),
                "buy a disk",
            )
        },
        ..TOY
    };
    let message = format!("{:#}", prepare(&root, &[&broken]).unwrap_err());
    for line in [
        "toy could not be made",
        "cannot frob the toy",
        "exit status: 7",
        "\n40\nno more room\n",
        "What to do: buy a disk",
        "testbed.log",
    ] {
        assert!(message.contains(line), "{line:?} is not in: {message}");
    }
    assert!(!message.contains("\n20\n"), "{message}");
    assert!(!stamp::is_whole(&root, &TOY));
}

fn workshop_in(dir: &Path) -> Workshop {
    let root = dir.join("testbed");
    let lock = Lock::take(&root).unwrap();
    Workshop::open(&root, lock).unwrap()
}

#[test]
fn uv_of_the_tools_is_used_without_one_on_the_path() {
    let dir = tempfile::tempdir().unwrap();
    let workshop = workshop_in(dir.path());
    assert_eq!(workshop.uv_or("/no/such/uv"), None);
    assert_eq!(workshop.uv_or("true"), Some("true".into()));
    fs::create_dir_all(workshop.root().join("tools/bin")).unwrap();
    let uv = workshop.root().join("tools/bin/uv");
    fs::write(&uv, "").unwrap();
    for broken in ["/no/such/uv", "false"] {
        assert_eq!(workshop.uv_or(broken).as_ref(), Some(&uv));
    }
}

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

#[test]
fn piped_output_is_read_to_its_end() {
    let dir = tempfile::tempdir().unwrap();
    let printed =
        workshop_in(dir.path()).run_into("count", shell("seq 100000; echo noise >&2"), &mut shell("wc -l"), "").unwrap();
    assert_eq!(printed.trim(), "100000");
}

#[test]
fn reader_of_a_failed_writer_is_killed() {
    let dir = tempfile::tempdir().unwrap();
    let workshop = workshop_in(dir.path());
    let mut reader = shell("cat > /dev/null; echo seen > whole");
    let error = workshop.run_into("import it", shell("echo half; echo no file >&2; exit 1"), &mut reader, "look").unwrap_err();
    assert!(error.to_string().contains("no file\nWhat to do: look"), "{error}");
    assert!(!workshop.root().join("whole").exists());
    let error = workshop.run_into("import it", Command::new("/no/such"), &mut reader, "look").unwrap_err();
    assert!(format!("{error:#}").contains("cannot start /no/such"), "{error:#}");
    assert!(!workshop.root().join("whole").exists());
}

#[test]
fn failed_reader_reports_its_own_error() {
    let dir = tempfile::tempdir().unwrap();
    let workshop = workshop_in(dir.path());
    for writer in ["true", "seq 1000000"] {
        let mut reader = shell("echo no space left >&2; exit 3");
        let error = workshop.run_into("import it", shell(writer), &mut reader, "").unwrap_err().to_string();
        assert!(error.contains("no space left"), "{writer}: {error}");
    }
}

#[test]
fn remove_leaves_nothing_and_accepts_a_missing_testbed() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("sparkgauge/testbed");
    remove(&root, None).unwrap();
    prepare(&root, &[&TOY]).unwrap();
    remove(&root, Some(Engine::Vllm)).unwrap();
    assert!(stamp::is_whole(&root, &TOY));
    remove(&root, None).unwrap();
    assert!(!dir.path().join("sparkgauge").exists());
}

#[test]
fn second_preparation_waits_for_a_left_over_installer() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("testbed");
    let lock = Lock::take(&root).unwrap();
    let script = "sleep 0.3; echo > done";
    let mut orphan = Command::new("sh").args(["-c", script]).current_dir(&dir).stdin(lock.as_input().unwrap()).spawn().unwrap();
    drop(lock);
    let _second = Lock::take(&root).unwrap();
    assert!(dir.path().join("done").exists());
    orphan.wait().unwrap();
}
