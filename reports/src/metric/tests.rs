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
fn names_are_there_and_unlike() {
    for of in [|row: &MetricInfo| row.title, |row: &MetricInfo| row.heading, |row: &MetricInfo| row.spelled] {
        let names: BTreeSet<&str> = METRICS.iter().map(of).collect();
        assert_eq!(names.len(), METRICS.len(), "{names:?}");
        assert!(names.iter().all(|name| !name.is_empty() && !name.contains('|')), "{names:?}");
    }
}

/// The name in records says its unit; a row that says another would print it wrongly.
#[test]
fn units_are_those_of_the_names_in_records() {
    for row in METRICS {
        let name = row.id.as_str();
        assert_eq!(row.unit == Unit::Time, name.ends_with("_ns"), "{name}");
        assert!(row.unit == Unit::Plain || !name.ends_with("_s"), "{name}");
    }
}

#[test]
fn times_are_better_short_and_rates_of_the_engine_high() {
    for row in METRICS {
        match row.better {
            Some(BetterDirection::Lower) => assert_eq!(row.unit, Unit::Time, "{}", row.id),
            Some(BetterDirection::Higher) => assert_ne!(row.unit, Unit::Time, "{}", row.id),
            None => assert_eq!((row.unit, row.margin), (Unit::Plain, None), "{}", row.id),
        }
    }
}

#[test]
fn margins_are_shares_worth_acting_on() {
    for row in METRICS {
        assert!(row.margin.is_none_or(|margin| (0.02..=0.15).contains(&margin)), "{}", row.id);
    }
}

#[test]
fn far_percentiles_need_requests_and_nothing_else_does() {
    for row in METRICS {
        let needed = match row.title.rsplit_once(' ') {
            Some((_, "p95")) => Some(59),
            Some((_, "p99")) => Some(299),
            _ => None,
        };
        assert_eq!(row.requests_needed, needed, "{}", row.id);
    }
}
