/// Which pages of one process belong to which file, as far as a text trace tells.
///
/// The observer writes the same line for an area that was mapped and for one whose protection changed. What lies there
/// already tells them apart: a mapping that continues itself in place has only changed.
struct FileAreas {
  private struct Area {
    var pages: Range<UInt64>
    var file: Int
    /// Of the area's first page.
    var filePage: UInt64

    func cut(to part: Range<UInt64>) -> Area {
      Area(pages: part, file: file, filePage: filePage &+ (part.lowerBound &- pages.lowerBound))
    }
  }

  /// Ascending, without overlaps.
  private var areas: [Area] = []

  /// Whether every page of `pages` maps the page of `file` that a mapping of `filePage` on would map there.
  func maps(_ pages: Range<UInt64>, file: Int, filePage: UInt64) -> Bool {
    var next = pages.lowerBound
    for area in areas where area.pages.upperBound > next {
      guard area.pages.lowerBound <= next, area.file == file else { return false }
      guard area.filePage &- area.pages.lowerBound == filePage &- pages.lowerBound else { return false }
      next = area.pages.upperBound
      if next >= pages.upperBound { return true }
    }
    return false
  }

  /// The file page behind a page.
  func lookUp(_ page: UInt64) -> TextTraceFault.FilePage? {
    areas.first { $0.pages.contains(page) }.map {
      TextTraceFault.FilePage(file: $0.file, page: $0.filePage &+ (page &- $0.pages.lowerBound))
    }
  }

  mutating func map(_ pages: Range<UInt64>, file: Int, filePage: UInt64) {
    unmap(pages)
    let place = areas.firstIndex { $0.pages.lowerBound > pages.lowerBound } ?? areas.endIndex
    areas.insert(Area(pages: pages, file: file, filePage: filePage), at: place)
  }

  mutating func unmap(_ pages: Range<UInt64>) {
    guard areas.contains(where: { $0.pages.overlaps(pages) }) else { return }
    areas = areas.flatMap { area -> [Area] in
      guard area.pages.overlaps(pages) else { return [area] }
      var rest: [Area] = []
      if area.pages.lowerBound < pages.lowerBound {
        rest.append(area.cut(to: area.pages.lowerBound..<pages.lowerBound))
      }
      if pages.upperBound < area.pages.upperBound {
        rest.append(area.cut(to: pages.upperBound..<area.pages.upperBound))
      }
      return rest
    }
  }
}

extension TraceRange {
  /// The pages as a range; those of an absurd length end where the numbers end.
  var span: Range<UInt64> { page..<(page &+ min(pages, UInt64.max &- page)) }
}
