//! The command line as a program; what it does is in the library beside it.

fn main() -> std::process::ExitCode {
    sparkgauge::main()
}
