use super::*;

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

#[test]
fn wait_ends_at_or_after_its_deadline() {
    let clock = RealClock::start();
    run(async {
        for wait_ns in [0, 1, 1_000, 900_000, 2_999_999, 3_000_001, 5_500_000] {
            let due_ns = clock.now_ns() + wait_ns;
            clock.sleep_until(due_ns).await;
            assert!(clock.now_ns() >= due_ns, "{wait_ns} ns");
        }
        clock.sleep_until(0).await;
    });
}

#[test]
fn concurrent_waits_end_in_deadline_order() {
    let clock = RealClock::start();
    let ended = std::cell::RefCell::new(Vec::new());
    run(async {
        let base_ns = clock.now_ns() + 4_000_000;
        let waits = [3_u64, 1, 2, 0].map(|place| {
            let (clock, ended) = (&clock, &ended);
            async move {
                clock.sleep_until(base_ns + place * 500_000).await;
                ended.borrow_mut().push(place);
            }
        });
        futures_util::future::join_all(waits).await;
    });
    assert_eq!(*ended.borrow(), [0, 1, 2, 3]);
}
