// Package chunk turns a run of samples of one series into bytes and back: 1 to MaxSamples of
// them, times (int64 milliseconds) strictly ascending, values any float64, kept by their bits.
// A chunk says itself how many samples it has, and from when to when, at its front.
//
// An Encoder makes chunks, each part in the smallest form that it finds; a Decoder
// reads whole ones, an Iterator goes through one, may skip by time, and prints values. All three hold scratch
// memory and allocate nothing once it is large enough; none is for concurrent use. Slices stay the caller's;
// Iterator reads its chunk until it is reset.
//
// Decoding takes any bytes: they are samples that keep these promises, or an error that says what is wrong and
// before which byte, and need no more memory than MaxSamples do. Whether the bytes are those that were written is
// not checked: that is for what stores them.
//
// # Format
//
// It is version 1, drawn where it is coded: the chunk in chunk.go; its values in values.go and decimals.go;
// sequences of integers, to which times and most values come down, in ints.go; bins, the
// entropy code for these, in bins.go; single values in short.go. golden_test.go holds a chunk of each kind.
//
// # What was taken from where
//
//   - Choosing for each run among several simple forms, one exponent for a run found by trying a few
//     values, decimals verified by encoding and exceptions kept aside: ALP (Afroozeh, Kuffó, Boncz, "ALP: Adaptive Lossless
//     floating-Point Compression", SIGMOD 2023). That telemetry is mostly decimals: also Elf (Li et
//     al., "Elf: Erasing-based Lossless Floating-Point Compression", VLDB 2023).
//   - A frame of reference, fixed widths and patches: PFOR (Zukowski et al., "Super-Scalar RAM-CPU Cache
//     Compression", ICDE 2006) and FastLanes (Afroozeh, Boncz, VLDB 2023).
//   - Bins with offsets over differences, and an entropy code of four lanes for the bins: pcodec (Loncaric,
//     Jeppesen, Zinberg, "Pcodec: Better Compression for Numerical Sequences", 2025). Here the bins are the leaves of a binary
//     tree, found by comparing costs from the leaves up, as CART prunes, and cheaper to write than lower bounds.
//   - The entropy code: tANS (Duda, 2013) as in FSE (Collet, 2013).
//   - Differences of differences of times: Gorilla (Pelkonen et al., VLDB 2015); here the times of a
//     steady series are a step, and others differences in units of their common divisor.
//
// The residual in units in the last place, for decimals that went through arithmetic, is our own.
//
// XOR with the value before, as in Gorilla and Chimp (Liakos, Papakonstantinopoulou, Kotidis, VLDB
// 2022), was left out: the values measured that are no decimals (random) are smaller as integers in the order
// of the values, for which differences, bins and units (bits at the end that all lack) do the same.
//
// # Measured
//
// Bytes a sample, with times and all, in runs of so many samples; Gorilla is Prometheus' chunkenc, pcodec its
// Python package at level 8 with times and values each as one. walk: two decimals, steps up to ±1.00 of equal
// probability (entropy 0.957), as `metricd bench` sends it; gauss: the same with normal steps, deviation 1.00
// (1.086); counter: steps of 0 to 999; random: uniform in [0, 1); ulp: three decimals, half of them one unit in
// the last place off; jitter: gauss at times that vary by some milliseconds; nab: 24 real series of the Numenta
// Anomaly Benchmark.
//
//	           this package                                          Gorilla   pcodec
//	           1024    512    128     16      8      4      2      1    1024     1024
//	walk      1.014  1.030  1.118  1.888  2.614  4.228  7.485  10.95   6.942    1.179
//	gauss     1.123  1.172  1.269  2.015  2.838  4.541  8.085  10.99   6.744    1.326
//	constant  0.013  0.025  0.102  0.750  1.500  3.000  6.000  11.00   0.268    0.083
//	counter   1.266  1.281  1.375  2.165  3.067  4.935  8.410  11.32   2.692    1.361
//	random    6.928  6.955  7.075  8.088  9.121  10.25  12.50  17.00   7.358    6.875
//	ulp       1.894  1.931  2.029  2.924  3.936  6.072  9.761  13.56   7.127    2.031
//	jitter    1.745  1.814  1.984  3.105  4.285  6.799  8.567  11.73   8.712    1.956
//	nab       1.868  1.905  2.094  2.697  3.610  5.501  8.912  11.69   5.738    2.065
//
// Millions of samples a second on one core of a shared virtual machine (AMD EPYC, 2.4 GHz), runs of 1,024, the
// best of nine; there, Gorilla encodes walk at 14 and decodes it at 36, pcodec at 2.5 and 46 (through Python, and
// each run by itself):
//
//	          encode  decode  iterate  print
//	walk          60     378      136     54
//	gauss         35     198      112     40
//	constant     535    1262      217     84
//	counter       46     397      154     56
//	random        24     277      126     10
//	ulp           24     177      108     16
//	jitter        20      96       70     43
//	nab           15      87       61     26
//
//	go test ./internal/chunk -v -run TestSets -args -nab FILE
//	go test ./internal/chunk -run '^$' -bench . -nab FILE
//
// walk is packed with one width: bins would make it 3 % smaller, but are left alone where they gain so little,
// since they take two to three times as long to read.
package chunk
