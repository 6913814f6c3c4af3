/// What the page cache holds of the chosen files when the program starts.
public enum CacheStart: String, Sendable, CaseIterable {
  /// Nothing of the files that the user owns or may write; all of the others, for nobody but their owner can drop them.
  case cold
  /// Every page.
  case warm
  /// What it held when the recording started; files whose residency the kernel does not tell count as fully resident.
  case asIs = "asis"
}
