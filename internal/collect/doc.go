// Package collect reads this machine's own figures (processor, load, memory, swap, disks, network, processes) at whole multiples of an
// interval, and sends them to a server, or puts them into a store of this process.
//
//	probes ──read──▶ reader ──figures──▶ Run ──Round──▶ Sender ──client.Writer──▶ a server
//	                                                └─▶ Storer ──storage.Appender──▶ a store
//
// A probe is what can fail alone: the processor, or one disk. What it costs to fail is its own figures, and one line in the log. All are
// read side by side, each in a goroutine of its own; one that does not come back, as a dead disk may never, is left alone until it does.
//
// What the figures are called and their units are in docs/collect.md, which a test holds against the code. Percentages are of the time
// since the last reading; what only ever grows is sent as it is, its name ends in _total, and rate() makes of it what a person wants to see.
//
// In a container HOST_PROC and HOST_SYS name the machine's /proc and /sys, as gopsutil has it, which does the reading.
package collect
