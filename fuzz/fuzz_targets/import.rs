#![no_main]

// Its check lies with the reader, which is not public.
libfuzzer_sys::fuzz_target!(|data: &[u8]| sparkgauge::check_foreign(data));
