//! The file that a dragged picture arrives as.

use std::path::Path;

use crate::app::drag_out::Handed;
use crate::app::picture_text;
use crate::document::flatten;
use crate::editor::{DragPixels, DragSource};
use crate::storage::{ExportOptions, StorageError, export_image};

/// Longest name of a file, in letters.
const LONGEST_NAME: usize = 60;

/// Writes a dragged picture into a folder of its own, with the request inside.
pub(super) fn write(folder: &Path, source: DragSource) -> Result<Handed, StorageError> {
    let path = folder.join(format!("{}.png", file_name(&source.name)));
    let chunks = picture_text::chunks_from_json(source.record.as_deref());
    let options = ExportOptions::default();
    match source.pixels {
        DragPixels::Image(image) => export_image(&path, &image, &chunks, &options),
        DragPixels::Document(document) => {
            let image = flatten(&document, document.extent.rect());
            export_image(&path, &image, &chunks, &options)
        }
    }?;
    let png =
        std::fs::read(&path).map_err(|source| StorageError::Read { source, path: path.clone() })?;
    Ok(Handed { uri: uri(&path), png })
}

/// A name that every system takes for a file.
fn file_name(name: &str) -> String {
    let letters = name.chars().map(|letter| match letter {
        '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|' => '-',
        letter if letter.is_control() || letter.is_whitespace() => ' ',
        letter => letter,
    });
    let name: String = letters.take(LONGEST_NAME).collect();
    let name = name.trim_matches([' ', '.', '-']);
    if name.is_empty() { "picture".to_owned() } else { name.to_owned() }
}

/// A file's address.
fn uri(path: &Path) -> String {
    use std::fmt::Write as _;
    let mut uri = "file://".to_owned();
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => {
                uri.push(char::from(*byte));
            }
            byte => {
                // Writing into a string can't fail.
                write!(uri, "%{byte:02X}").ok();
            }
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Document;
    use crate::geom::Extent;
    use crate::raster::RgbaImage;
    use std::sync::Arc;

    #[test]
    fn any_prompt_gives_a_file_name() {
        assert_eq!(file_name("a red apple 7"), "a red apple 7");
        assert_eq!(file_name("../etc/\"x\"\n?"), "etc--x");
        assert_eq!(file_name(" . "), "picture");
        assert_eq!(file_name(&"ä".repeat(99)).chars().count(), LONGEST_NAME);
    }

    #[test]
    fn addresses_have_no_letters_that_would_end_them() {
        assert_eq!(uri(Path::new("/a b/ä#1%.png")), "file:///a%20b/%C3%A4%231%25.png");
    }

    #[test]
    fn what_is_dragged_is_the_picture() {
        let folder = tempfile::tempdir().unwrap();
        let extent = Extent::new(5, 3);
        let image = RgbaImage::new(extent, [9, 8, 7, 255]);
        let mut document = Document::new(extent, "layer");
        document.layers[0].pixels = crate::raster::grid_from_image(&image);
        for (name, pixels) in [
            ("image", DragPixels::Image(Arc::new(image.clone()))),
            ("document", DragPixels::Document(Box::new(document))),
        ] {
            let source = DragSource { name: name.to_owned(), pixels, record: None };
            let handed = write(folder.path(), source).unwrap();
            assert!(handed.uri.ends_with(&format!("/{name}.png")), "{}", handed.uri);
            let colors = crate::storage::Colors::Srgb;
            let read = crate::storage::read_image_bytes(&handed.png, "it", colors).unwrap();
            assert_eq!(read.image, image);
        }
    }
}
