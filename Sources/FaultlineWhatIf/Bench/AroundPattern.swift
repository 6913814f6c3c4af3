import Faultline

/// Loads of one mapped and cached file whose outcome can be worked out by hand.
public struct AroundPattern: Sendable {
  public enum Kind: Sendable, CaseIterable {
    /// Every page, ascending.
    case sequential
    /// Every page once, in a random order.
    case random
    /// One page of a hundred, at random: what an index lookup does.
    case sparse
    /// One page of each 2 MiB: all neighbours are mapped in vain.
    case worst

    public var name: String {
      switch self {
      case .sequential: "sequential"
      case .random: "random"
      case .sparse: "random 1 %"
      case .worst: "1 page per 2 MiB"
      }
    }

    var published: PublishedSweep? {
      switch self {
      case .sequential: .sequential
      case .random: .random
      case .sparse: nil
      case .worst: .worst
      }
    }
  }

  public let kind: Kind
  /// Of the file; a power of two.
  public let filePages: UInt64

  public init(_ kind: Kind, filePages: UInt64) {
    self.kind = kind
    self.filePages = filePages
  }

  /// What is touched, for people.
  var about: String {
    "\(NumberText.grouped(UInt64(pages.count))) of the \(NumberText.grouped(filePages)) pages of a cached file"
  }

  /// The pages in the order of their touches.
  var pages: [UInt64] {
    switch kind {
    case .sequential: Array(0..<filePages)
    case .random: shuffled
    case .sparse: Array(shuffled.prefix(Int(filePages / 100)))
    case .worst: Array(stride(from: PageSize.entriesPerTable / 2, to: filePages, by: Int(PageSize.entriesPerTable)))
    }
  }

  /// Every page once. A multiplier that is 1 modulo 4 and an odd increment visit every number below a power of two; the bits
  /// are turned round because the lowest of such numbers hardly vary.
  private var shuffled: [UInt64] {
    let bits = UInt64(filePages.trailingZeroBitCount)
    var state: UInt64 = 1
    return (0..<filePages).map { _ in
      state = (state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407) & (filePages - 1)
      return state.reversedBits >> (64 - bits)
    }
  }

  /// The load under one window, on a machine of its own, from the first byte of a page table on.
  func counts(order: Int) throws(KernelError) -> ReplayCounts {
    var rules = KernelRules.linux6_18
    rules.faultAroundBytes = PageSize.bytes << UInt64(order)
    let machine = try Machine(rules: rules, frameCount: filePages * 2, contents: .none)
    let node = FileNode(machine: machine, traits: .ext4(rules), size: filePages << PageSize.shift)
    node.makeResident(0..<filePages)
    let space = try AddressSpace(machine: machine)
    var task = FaultTask()
    let base = VirtualAddress(page: 1 << 24)
    try space.mmap(
      address: base, length: filePages << PageSize.shift, protection: .read, flags: [.shared, .fixed],
      file: OpenFile(node: node, mode: .readOnly), by: &task)
    for page in pages { _ = space.access(VirtualAddress(page: base.page &+ page), .read, by: &task) }
    var counts = ReplayCounts()
    counts.minorFaults = task.minorFaults
    counts.majorFaults = task.majorFaults
    counts.pagesMapped = space.mappedFilePages
    return counts
  }
}

extension UInt64 {
  fileprivate var reversedBits: UInt64 {
    var result: UInt64 = 0
    var rest = self
    for _ in 0..<64 {
      result = result << 1 | rest & 1
      rest >>= 1
    }
    return result
  }
}
