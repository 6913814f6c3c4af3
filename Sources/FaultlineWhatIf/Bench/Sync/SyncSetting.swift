import FaultlineFS

/// Under what the first stores to a file's pages are timed.
struct SyncSetting: Hashable, Sendable {
  /// What the file has before.
  enum Contents: String, CaseIterable, Sendable {
    /// Blocks with data, durable.
    case written
    /// Blocks that were set aside and never written.
    case fallocated
    /// A hole as long as the file.
    case empty
  }

  enum Device: String, CaseIterable, Sendable {
    /// Bytes of this process.
    case ram
    /// A file of this machine, made durable with msync(2) where it has no MAP_SYNC.
    case file
  }

  /// What one fault maps.
  enum Size: String, CaseIterable, Sendable {
    case page = "PTE"
    case huge = "PMD"
  }

  var contents: Contents
  /// Whether another thread copies a file all the while.
  var isBusy = false
  var isSynchronous: Bool
  var size = Size.page
  var mode = MetadataMode.orderedJournal
  var device = Device.ram
  /// Pages that a synchronous store prepares; 1 as the kernel.
  var window: UInt64 = 1
  /// Threads that store to the pages in turn.
  var threads = 1

  /// Of 2 MiB, which either 512 faults map or one.
  static let pages: UInt64 = 512

  /// The seed's experiment: its six, and what it leaves out.
  static var asPublished: [SyncSetting] {
    Contents.allCases.flatMap { contents in
      [false, true].flatMap { isBusy in
        [false, true].map { SyncSetting(contents: contents, isBusy: isBusy, isSynchronous: $0) }
      }
    }
  }

  /// Idle, for every way of keeping metadata, both devices and both sizes.
  static var others: [SyncSetting] {
    MetadataMode.allCases.flatMap { mode in
      Device.allCases.flatMap { device in
        Size.allCases.flatMap { size in
          Contents.allCases.flatMap { contents in
            [false, true].map {
              SyncSetting(contents: contents, isSynchronous: $0, size: size, mode: mode, device: device)
            }
          }
        }
      }
    }.filter { $0.mode != .orderedJournal || $0.device != .ram || $0.size != .page }
  }

  /// What a window of so many pages changes: beside the same without one, and beside stores without MAP_SYNC.
  static func windowed(_ window: UInt64) -> [SyncSetting] {
    Device.allCases.flatMap { device in
      [Contents.empty, .fallocated].flatMap { contents in
        let sync = SyncSetting(contents: contents, isSynchronous: true, device: device)
        return [sync.with { $0.isSynchronous = false }, sync, sync.with { $0.window = window }]
      }
        + [1, window].map { pages in
          SyncSetting(contents: .empty, isSynchronous: true, device: device, window: pages, threads: 2)
        }
    }
  }

  func with(_ change: (inout SyncSetting) -> Void) -> SyncSetting {
    var copy = self
    change(&copy)
    return copy
  }

  /// In the seed's words.
  var title: String {
    "File \(contents), \(isBusy ? "background load" : "no background load"), \(isSynchronous ? "" : "no ")MAP_SYNC"
  }

  /// In one word each.
  var name: String {
    ([
      contents.rawValue, isBusy ? "copy" : "idle", isSynchronous ? "sync" : "nosync", size.rawValue, mode.name,
      device.rawValue,
    ] + (window > 1 ? ["window \(window)"] : []) + (threads > 1 ? ["\(threads) threads"] : []))
    .joined(separator: " ")
  }
}
