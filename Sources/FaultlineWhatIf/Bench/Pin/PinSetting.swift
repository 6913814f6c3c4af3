import Faultline

/// The folios that memory is made of; one entry maps one of them. Raw values are orders.
public enum FolioSize: UInt64, CaseIterable, Sendable {
  case single = 0
  case huge = 9
  case giant = 18

  var pageCount: UInt64 { 1 << rawValue }

  var name: String {
    switch self {
    case .single: "4 KiB"
    case .huge: "2 MiB"
    case .giant: "1 GiB"
    }
  }
}

/// What is taken hold of, and how.
struct PinSetting: Hashable, Sendable {
  enum Memory: String, Sendable {
    /// A device's own pages, mapped as a whole.
    case device
    case anonymous
  }

  enum Path: Sendable {
    /// Without locks.
    case fast
    /// The same with a step for every page.
    case eachPage
    /// Under the address space's lock.
    case slow
  }

  var memory = Memory.device
  var size = FolioSize.huge
  var kind = HoldKind.reference
  var form = PinnedPages.Form.pages
  var path = Path.fast
  var isLongTerm = false
  var writes = true
  var pagesPerCall: UInt64 = 512

  var flags: PinFlags {
    var flags: PinFlags = writes ? .write : []
    if isLongTerm { flags.insert(.longTerm) }
    // What the area may be made to allow is more than an entry says: such a call goes the slow way, whatever is entered.
    if path == .slow { flags.insert(.force) }
    return flags
  }

  func with(_ change: (inout PinSetting) -> Void) -> PinSetting {
    var copy = self
    change(&copy)
    return copy
  }

  /// In the words of its table.
  var name: String {
    let step =
      switch path {
      case .fast: form == .runs ? "heads only" : "a step a folio"
      case .eachPage: "a step a page"
      case .slow: "under the lock"
      }
    return "\(kind.name)\(isLongTerm ? " for long" : ""), \(size.name), \(step), "
      + "\(pagesPerCall) pages a call"
  }
}
