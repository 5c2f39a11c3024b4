//! Dates in file names.

use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds of a day.
const DAY_SECS: u64 = 86_400;

/// Date and time (UTC) as a part of a file's name: `2026-02-28-134501`.
pub(super) fn file_date(time: SystemTime) -> String {
    let seconds = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let (days, rest) = (seconds / DAY_SECS, seconds % DAY_SECS);
    // Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days: years
    // that start in March, eras of 400 years.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = era * 400 + year + next;
    let (hours, minutes, seconds) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02}-{hours:02}{minutes:02}{seconds:02}")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        let check = |seconds: u64, expected: &str| {
            assert_eq!(file_date(UNIX_EPOCH + Duration::from_secs(seconds)), expected);
        };
        check(0, "1970-01-01-000000");
        check(951_782_400, "2000-02-29-000000");
        check(1_000_000_000, "2001-09-09-014640");
        check(4_107_542_399, "2100-02-28-235959");
        check(4_107_542_400, "2100-03-01-000000");
    }
}
