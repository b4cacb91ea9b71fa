//! What a screen reader is told beside the words: the window's name, tables with rows and headings, values of bars.

use acolyte::text::Language;
use eframe::egui::accesskit::{Role, SortDirection};
use egui_kittest::Node;
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use super::pictures::PAGES;
use super::scripted::{self, Scene};
use super::stage::{Eye, Stage};

/// Descendants of a node with this role, in order.
fn parts<'a>(node: &Node<'a>, role: Role) -> Vec<Node<'a>> {
    node.children_recursive().filter(|part| part.accesskit_node().role() == role).collect()
}

fn labels(nodes: &[Node<'_>]) -> Vec<String> {
    nodes.iter().map(|node| node.accesskit_node().label().unwrap_or_default()).collect()
}

#[test]
fn the_window_is_named_after_the_page() {
    for (page, way) in PAGES {
        for language in Language::ALL {
            let stage = way(Eye::blind(language));
            let root = stage.harness.root().accesskit_node().tree_state.root();
            assert_eq!(root.role(), Role::Window);
            let title = stage.harness.state().title();
            assert!(title.ends_with(&stage.harness.state().heading()));
            assert_eq!(root.label(), Some(title), "{page}");
        }
    }
}

#[test]
fn every_table_has_a_name_headings_and_rows_of_cells() {
    let mut tables = 0;
    for (page, way) in PAGES {
        let mut stage = way(Eye::blind(Language::English));
        stage.harness.run();
        for table in stage.harness.query_all_by_role(Role::Table) {
            tables += 1;
            let known = table.accesskit_node();
            assert!(known.label().is_some_and(|name| !name.is_empty()), "{page}");
            let columns = known.data().column_count().unwrap();
            let rows = parts(&table, Role::Row);
            assert_eq!(known.data().row_count(), Some(rows.len()), "{page}");
            assert!(rows.len() > 1 && columns > 1, "{page}: {rows:?}");
            let headings = labels(&parts(&rows[0], Role::ColumnHeader));
            assert!(!headings.is_empty() && headings.iter().all(|name| !name.is_empty()), "{page}");
            assert_eq!(
                parts(&table, Role::ColumnHeader).len(),
                headings.len(),
                "{page}: in the first row only"
            );
            for (index, row) in rows.iter().enumerate() {
                assert_eq!(row.accesskit_node().data().row_index(), Some(index), "{page}");
            }
            for row in &rows[1..] {
                let cells = parts(row, Role::RowHeader).len() + parts(row, Role::Cell).len();
                assert_eq!((parts(row, Role::RowHeader).len(), cells), (1, columns), "{page}");
            }
        }
    }
    assert!(tables > 6, "{tables}");
}

#[test]
fn the_rows_of_compatibility_are_chosen_and_sorted_in_the_table() {
    for language in Language::ALL {
        let mut stage = Stage::new(Eye::blind(language), Scene::of(scripted::laptop())).reach_compatibility();
        let name = stage.say("wizard-tab-profiles");
        let table = |stage: &Stage| {
            let table = stage.harness.get_by_role_and_label(Role::Table, &name);
            let rows = parts(&table, Role::Row);
            let headings = parts(&rows[0], Role::ColumnHeader);
            let sorted: Vec<_> =
                headings.iter().map(|heading| heading.accesskit_node().data().sort_direction()).collect();
            let choices: Vec<_> =
                rows[1..].iter().map(|row| labels(&parts(row, Role::RadioButton))).collect();
            (labels(&headings), sorted, choices)
        };
        let (headings, sorted, choices) = table(&stage);
        assert_eq!((headings.len(), sorted), (7, vec![None; 7]));
        assert!(choices.iter().all(|choice| choice.len() == 1), "{choices:?}");
        // Above them, the cards of the choices.
        assert!(stage.rows().ends_with(&choices.concat()), "{choices:?}");
        let speed = stage.say("wizard-table-speed");
        assert_eq!(headings[5], speed);
        stage.click_label(&speed);
        assert_eq!(table(&stage).1[5], Some(SortDirection::Ascending));
        stage.click_label(&speed);
        assert_eq!(table(&stage).1[5], Some(SortDirection::Descending));
    }
}

#[test]
fn every_bar_tells_its_value_on_a_scale() {
    let mut bars = 0;
    for (page, way) in PAGES {
        let mut stage = way(Eye::blind(Language::Spanish));
        stage.harness.run();
        for role in [Role::Meter, Role::ProgressIndicator] {
            for bar in stage.harness.query_all_by_role(role) {
                bars += 1;
                let bar = bar.accesskit_node();
                assert!(bar.label().is_some_and(|name| !name.is_empty()), "{page}");
                let scale = (bar.min_numeric_value(), bar.max_numeric_value(), bar.numeric_value());
                let (Some(min), Some(max), Some(value)) = scale else {
                    panic!("{page}: {:?} {scale:?}", bar.label())
                };
                assert!(min < max && (min..=max).contains(&value), "{page}: {:?} {scale:?}", bar.label());
            }
        }
    }
    assert!(bars > 50, "{bars}");
}

#[test]
fn a_memory_bar_tells_how_full_the_memory_is() {
    let stage = Stage::new(Eye::blind(Language::English), Scene::of(scripted::laptop())).reach_hardware();
    let name = stage.say("wizard-memory-graphics");
    let bars: Vec<_> = stage
        .harness
        .query_all_by_role(Role::Meter)
        .filter(|bar| bar.accesskit_node().label().is_some_and(|label| label.starts_with(&name)))
        .map(|bar| (bar.accesskit_node().numeric_value(), bar.accesskit_node().max_numeric_value()))
        .collect();
    // 7623567360 of 8585740288 bytes are free.
    assert_eq!(bars, [(Some(11.0), Some(100.0))]);
}

/// 1366x768 at 200 % and at 150 %, and 1920x1080 at 200 %, without a panel and a title bar.
#[test]
fn in_a_low_window_no_part_of_the_sidebar_covers_another() {
    for size in [(667.0, 280.0), (894.0, 408.0), (944.0, 436.0), (800.0, 560.0)] {
        for language in Language::ALL {
            let eye = Eye { size, ..Eye::blind(language) };
            let mut stage = Stage::new(eye, Scene::of(scripted::laptop())).reach_profile();
            stage.harness.run();
            let sidebar = stage.harness.get_by_role(Role::Navigation);
            let parts: Vec<_> = sidebar
                .children_recursive()
                .filter(|part| matches!(part.accesskit_node().role(), Role::Button | Role::ListItem))
                .collect();
            assert_eq!(parts.len(), 8 + 3, "steps, language, theme, appearance");
            for (at, part) in parts.iter().enumerate() {
                let rect = part.rect();
                assert!(rect.height() >= 18.0 && rect.bottom() <= size.1, "{size:?} {rect:?}");
                for other in &parts[..at] {
                    let shared = other.rect().intersect(rect.shrink(0.5));
                    assert!(!shared.is_positive(), "{size:?}: {:?} and {rect:?}", other.rect());
                }
            }
        }
    }
}
