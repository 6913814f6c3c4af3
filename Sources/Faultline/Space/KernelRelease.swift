extension KernelRules {
  /// The rules of a kernel by its release, as `uname -r` prints it: those of its version, configured as its distribution does.
  ///
  /// - Returns: `nil` when there are no rules for that version.
  public init?(release: String) {
    guard let known = Self.all.first(where: { release == $0.name || release.hasPrefix($0.name + ".") }) else {
      return nil
    }
    self = known.configured(asIn: release)
  }

  /// The same version with the choices of the distribution that a release names. Debian tracks stores since a program last asked
  /// and gives all private memory huge pages; a release that names none changes nothing.
  public func configured(asIn release: String) -> KernelRules {
    guard release.contains("+deb") else { return self }
    var rules = self
    rules.tracksSoftDirty = true
    rules.hugePages.privateMemory = .always
    return rules
  }
}
