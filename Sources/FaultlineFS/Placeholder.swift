// FaultlineFS
