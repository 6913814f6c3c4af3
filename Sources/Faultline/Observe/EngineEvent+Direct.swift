/// What the events of files with DAX add: the fault, as the kernel's `fs_dax` events print it.
extension EngineEvent {
  /// A fault on a file with DAX. Kernel: the fields of `dax_pte_fault` and its like.
  public struct DirectFault: Sendable, Hashable {
    /// The faulting address. Kernel: `address`.
    public var address: VirtualAddress
    /// The pages of the area. Kernel: `vm_start`, `vm_end`.
    public var area: Range<UInt64>
    /// Kernel: `vm_flags`.
    public var areaFlags: VMAFlags
    /// Kernel: `flags`.
    public var flags: FaultFlags
    /// Kernel: `result`; nothing in an event that begins a fault.
    public var result: FaultResult
    /// One past the file's last page. Kernel: `max_pgoff`.
    public var filePages: UInt64
    /// The file's number in its file system. Kernel: `ino`.
    public var inode: UInt64
    /// What lies in the file's slot, where the event tells it. Kernel: `radix_entry`.
    public var entry: UInt64
  }

  init(
    _ kind: Kind, _ file: DirectFile, _ context: borrowing FaultContext, _ result: FaultResult = [],
    _ entry: DAXEntry? = nil
  ) {
    self.init(kind, file: file.node.number, page: context.filePage)
    fault = DirectFault(
      address: VirtualAddress(page: context.page), area: context.area.pages, areaFlags: context.area.flags,
      flags: context.flags, result: result, filePages: file.cache.filePages, inode: file.file.inode,
      entry: entry?.rawValue ?? 0)
  }

  /// A scan for dirty entries, up to a page that belongs to it.
  init(_ kind: Kind, file: UInt64, page: UInt64, through last: UInt64) {
    self.init(kind, file: file, page: page)
    lastPage = last
  }
}
