/// One thing that the engine did, as the kernel's trace events tell it.
///
/// Plain data; which fields mean something depends on the kind.
public struct EngineEvent: Sendable, Hashable {
  public enum Kind: UInt8, Sendable, Hashable {
    /// The program's own access faulted: `page` of the address space, `code`. Kernel: `page_fault_user`.
    case userFault
    /// The kernel's access on its behalf faulted. Kernel: `page_fault_kernel`.
    case kernelFault
    /// A file was asked for `page`. Kernel: `mm_filemap_fault`.
    case fileFault
    /// Neighbours were mapped: `count` pages of the file from `page` on were looked at. Kernel: `mm_filemap_map_pages`.
    case mapAround
    /// `page` is missing and `count` pages from there are wanted. Kernel: `page_cache_sync_ra`.
    case readMissing
    /// `page` carries the marker and `count` pages from there are wanted. Kernel: `page_cache_async_ra`.
    case readOn
    /// A window is read from `page` on. Kernel: `page_cache_ra_order`.
    case readWindow
    /// Single pages are read: `count` from `page` on, with the marker `lookahead` before the end.
    /// Kernel: `page_cache_ra_unbounded`.
    case readPages
    /// A folio of 2^`order` pages entered the cache at `page`. Kernel: `mm_filemap_add_to_page_cache`.
    case added
    /// It left. Kernel: `mm_filemap_delete_from_page_cache`.
    case deleted
    /// A fault for 2 MiB of a file with DAX begins, or has ended. Kernel: `dax_pmd_fault`, `dax_pmd_fault_done`.
    case directHugeFault
    case directHugeFaultDone
    /// A fault for one page. Kernel: `dax_pte_fault`, `dax_pte_fault_done`.
    case directPageFault
    case directPageFaultDone
    /// Zeroes were entered for a hole. Kernel: `dax_load_hole`, `dax_pmd_load_hole`, `dax_pmd_load_hole_fallback`.
    case directLoadHole
    case directLoadHugeHole
    case directLoadHugeHoleFallback
    /// What had waited for a commit was entered, or was gone. Kernel: `dax_insert_pfn_mkwrite`,
    /// `dax_insert_pfn_mkwrite_no_entry`.
    case directInsert
    case directInsertNoEntry
    /// Dirty entries from `page` through `lastPage` are written; at the end, `page` is where the scan stands. Kernel:
    /// `dax_writeback_range`, `dax_writeback_range_done`.
    case directWriteback
    case directWritebackDone
    /// One was. Kernel: `dax_writeback_one`.
    case directWrittenBack
    /// `count` pages of the address space from `page` on, all of one entry, were taken hold of, or `count` pages of one
    /// folio given back. Kernel: calls of `try_grab_folio` and its like, and of `gup_put_folio`.
    case held
  }

  /// A descriptor's readahead state when the event happened. Kernel: `struct file_ra_state`.
  public struct Window: Sendable, Hashable {
    public var size: UInt64
    public var asyncSize: UInt64
    public var maximum: UInt64
    public var misses: UInt64
    /// The byte after the last read(2), all ones before the first.
    public var previousPosition: UInt64
  }

  public var kind: Kind
  /// x86 page-fault error code: 1 the entry was present, 2 store, 4 user mode, 16 instruction fetch.
  public var code: UInt8 = 0
  /// log2 of the folio's pages, or of those that the window asks for.
  public var order: UInt64 = 0
  /// ``FileNode/number`` of the file concerned; 0 for faults.
  public var file: UInt64 = 0
  public var page: UInt64
  public var count: UInt64 = 0
  public var lookahead: UInt64 = 0
  /// The last page of a scan.
  public var lastPage: UInt64 = 0
  /// Of a file with DAX: the fault that the event tells of.
  public var fault: DirectFault?
  /// Of pages that were taken hold of: how.
  public var hold: Hold?
  public var window = Window(size: 0, asyncSize: 0, maximum: 0, misses: 0, previousPosition: 0)

  init(_ kind: Kind, file: UInt64 = 0, page: UInt64, count: UInt64 = 0) {
    self.kind = kind
    self.file = file
    self.page = page
    self.count = count
  }
}
