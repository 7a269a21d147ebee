use std::collections::BTreeSet;

use record::Metric;

use super::*;

#[test]
fn every_metric_has_exactly_one_row() {
    let rows: Vec<Metric> = METRICS.iter().map(|row| row.id).collect();
    assert_eq!(rows, Metric::ALL);
    for &metric in Metric::ALL {
        assert_eq!(info(metric).id, metric);
    }
}

#[test]
fn names_are_present_and_unique() {
    for of in [|row: &MetricInfo| row.title, |row: &MetricInfo| row.heading, |row: &MetricInfo| row.spelled] {
        let names: BTreeSet<&str> = METRICS.iter().map(of).collect();
        assert_eq!(names.len(), METRICS.len(), "{names:?}");
        assert!(names.iter().all(|name| !name.is_empty() && !name.contains('|')), "{names:?}");
    }
}

/// The name in records says its unit; a row that says another would print it wrongly.
#[test]
fn units_match_the_suffix_of_the_metric_name() {
    for row in METRICS {
        let name = row.id.as_str();
        assert_eq!(row.unit == Unit::Time, name.ends_with("_ns"), "{name}");
        assert!(row.unit == Unit::Plain || !name.ends_with("_s"), "{name}");
    }
}

#[test]
fn lower_is_better_for_times_and_higher_for_rates() {
    for row in METRICS {
        match row.better {
            Some(BetterDirection::Lower) => assert_eq!(row.unit, Unit::Time, "{}", row.id),
            Some(BetterDirection::Higher) => assert_ne!(row.unit, Unit::Time, "{}", row.id),
            None => assert_eq!((row.unit, row.margin), (Unit::Plain, None), "{}", row.id),
        }
    }
}

#[test]
fn margins_are_between_2_and_15_percent() {
    for row in METRICS {
        assert!(row.margin.is_none_or(|margin| (0.02..=0.15).contains(&margin)), "{}", row.id);
    }
}

#[test]
fn only_p95_and_p99_need_a_number_of_requests() {
    for row in METRICS {
        let needed = match row.title.rsplit_once(' ') {
            Some((_, "p95")) => Some(59),
            Some((_, "p99")) => Some(299),
            _ => None,
        };
        assert_eq!(row.requests_needed, needed, "{}", row.id);
    }
}
