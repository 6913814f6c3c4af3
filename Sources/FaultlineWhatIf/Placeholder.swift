// FaultlineWhatIf
