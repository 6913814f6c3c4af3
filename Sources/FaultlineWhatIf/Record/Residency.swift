import CLinux
import Glibc

/// Which pages of a file are in the page cache.
///
/// The kernel tells the truth only to the owner of the file, to who may write it, and to root; to others every page looks resident.
enum Residency {
  /// Whether this user is told the truth about an open file.
  static func isTold(_ descriptor: Int32, _ status: stat) -> Bool {
    if geteuid() == 0 || status.st_uid == geteuid() { return true }
    return faccessat(AT_FDCWD, "/proc/self/fd/\(descriptor)", W_OK, AT_EACCESS) == 0
  }

  /// Resident pages in ascending runs, from `mincore`; nil when the file cannot be mapped.
  static func runs(_ descriptor: Int32, bytes: UInt64) -> [TraceRun]? {
    let pageSize = UInt64(getpagesize())
    let pages = (bytes + pageSize - 1) / pageSize
    var runs: [TraceRun] = []
    let chunk: UInt64 = 1 << 18
    var vector = [UInt8](repeating: 0, count: Int(min(pages, chunk)))
    var first: UInt64 = 0
    while first < pages {
      let count = min(chunk, pages - first)
      // `mincore` takes its time over a hole; most of a large file is one.
      if cl_cached_pages(descriptor, first * pageSize, count * pageSize) == 0 {
        first += count
        continue
      }
      guard
        let window = mmap(
          nil, Int(count * pageSize), PROT_READ, MAP_SHARED, descriptor, off_t(first * pageSize)), window != MAP_FAILED
      else { return nil }
      let result = mincore(window, Int(count * pageSize), &vector)
      munmap(window, Int(count * pageSize))
      guard result == 0 else { return nil }
      for index in 0..<Int(count) where vector[index] & 1 != 0 {
        let page = first + UInt64(index)
        if let last = runs.indices.last, runs[last].page + runs[last].pages == page {
          runs[last].pages += 1
        } else {
          runs.append(TraceRun(page: page, pages: 1))
        }
      }
      first += count
    }
    return runs
  }

  static func count(_ runs: [TraceRun]) -> Int { runs.reduce(0) { $0 + Int($1.pages) } }

  /// Pages that are in both of two ascending lists.
  static func common(_ one: [TraceRun], _ other: [TraceRun]) -> Int {
    var (count, index) = (0, 0)
    for run in one {
      while index < other.count, other[index].page + other[index].pages <= run.page { index += 1 }
      var place = index
      while place < other.count, other[place].page < run.page + run.pages {
        let end = min(run.page + run.pages, other[place].page + other[place].pages)
        count += Int(end - max(run.page, other[place].page))
        place += 1
      }
    }
    return count
  }
}
