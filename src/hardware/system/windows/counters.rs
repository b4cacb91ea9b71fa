//! Performance counters of Windows.

#![allow(unsafe_code)]

use windows::Win32::System::Performance::{
    PDH_FMT_COUNTERVALUE_ITEM_W, PDH_FMT_LARGE, PDH_HCOUNTER, PDH_HQUERY, PDH_MORE_DATA,
    PdhAddEnglishCounterW, PdhCloseQuery, PdhCollectQueryData, PdhGetFormattedCounterArrayW, PdhOpenQueryW,
};
use windows::core::{HSTRING, PCWSTR};

/// Largest answer in bytes: an item has some hundred.
const MAX_BYTES: u32 = 16 << 20;

/// The instances of a counter such as `\GPU Process Memory(*)\Shared Usage` (in English on every system), with their values;
/// none where it does not exist. Instances that are not numbers above zero are left out.
pub fn instances(counter: &str) -> Vec<(String, u64)> {
    let mut query = PDH_HQUERY::default();
    // SAFETY: `query` outlives the call, and is closed below.
    if unsafe { PdhOpenQueryW(PCWSTR::null(), 0, &raw mut query) } != 0 {
        return Vec::new();
    }
    let found = read(query, counter);
    // SAFETY: it was opened above, and nothing uses it any more.
    unsafe { PdhCloseQuery(query) };
    found.unwrap_or_default()
}

fn read(query: PDH_HQUERY, counter: &str) -> Option<Vec<(String, u64)>> {
    let mut handle = PDH_HCOUNTER::default();
    // SAFETY: the query is open, the path ends with zero, and `handle` outlives the call.
    let added = unsafe { PdhAddEnglishCounterW(query, &HSTRING::from(counter), 0, &raw mut handle) };
    // SAFETY: the query is open.
    if added != 0 || unsafe { PdhCollectQueryData(query) } != 0 {
        return None;
    }
    let (mut bytes, mut count) = (0, 0);
    // SAFETY: without a buffer only the two figures are written, which outlive the call.
    let asked =
        unsafe { PdhGetFormattedCounterArrayW(handle, PDH_FMT_LARGE, &raw mut bytes, &raw mut count, None) };
    if asked != PDH_MORE_DATA || bytes > MAX_BYTES {
        return None;
    }
    // The texts lie behind the items, in the same buffer.
    let size = size_of::<PDH_FMT_COUNTERVALUE_ITEM_W>();
    let mut items = vec![PDH_FMT_COUNTERVALUE_ITEM_W::default(); (bytes as usize).div_ceil(size)];
    // SAFETY: the buffer has at least `bytes` bytes, and outlives the use of the texts below.
    let filled = unsafe {
        PdhGetFormattedCounterArrayW(
            handle,
            PDH_FMT_LARGE,
            &raw mut bytes,
            &raw mut count,
            Some(items.as_mut_ptr()),
        )
    };
    if filled != 0 {
        return None;
    }
    let value = |item: &PDH_FMT_COUNTERVALUE_ITEM_W| {
        if item.FmtValue.CStatus != 0 {
            return None;
        }
        // SAFETY: the call wrote a text that ends with zero, and a number of the format that was asked for.
        let (name, number) = unsafe { (item.szName.to_string().ok()?, item.FmtValue.Anonymous.largeValue) };
        Some((name, u64::try_from(number).ok().filter(|number| *number > 0)?))
    };
    Some(items.iter().take(count as usize).filter_map(value).collect())
}
