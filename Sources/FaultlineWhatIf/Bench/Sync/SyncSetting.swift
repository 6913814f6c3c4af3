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

  /// In the seed's words.
  var title: String {
    "File \(contents), \(isBusy ? "background load" : "no background load"), \(isSynchronous ? "" : "no ")MAP_SYNC"
  }

  /// In one word each.
  var name: String {
    ([
      contents.rawValue, isBusy ? "copy" : "idle", isSynchronous ? "sync" : "nosync", size.rawValue, mode.name,
      device.rawValue,
    ])
    .joined(separator: " ")
  }
}

extension MetadataMode {
  /// As the command line has it.
  var name: String {
    switch self {
    case .orderedJournal: "journal"
    case .pinnedLog: "log"
    case .inPlace: "none"
    }
  }
}
