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
//   - A frame of reference, fixed widths and patches, a few percent of the codes if that pays: PFOR (Zukowski et
//     al., "Super-Scalar RAM-CPU Cache Compression", ICDE 2006) and FastLanes (Afroozeh, Boncz, VLDB 2023).
//   - Bins with offsets over differences, and lanes that take turns: pcodec (Loncaric,
//     Jeppesen, Zinberg, "Pcodec: Better Compression for Numerical Sequences", 2025). Here the bins are the leaves of a binary
//     tree, found by comparing costs from the leaves up, as CART prunes, and cheaper to write than lower bounds; and they
//     are told by prefixes (Huffman, 1952) of 8 bits at most, by estimate 1 to 2 % larger on the real
//     series than asymmetric numeral systems, but with a small table and without a pass backwards.
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
//	walk      1.014  1.028  1.110  1.788  2.363  3.786  6.507  9.945   6.942    1.179
//	gauss     1.172  1.186  1.266  1.951  2.578  4.096  7.192  9.990   6.744    1.326
//	constant  0.013  0.025  0.102  0.750  1.375  2.750  5.500  10.00   0.268    0.083
//	counter   1.265  1.279  1.367  2.103  2.817  4.505  7.139  10.32   2.692    1.361
//	random    6.951  6.963  7.069  8.026  8.978  10.00  12.00  16.00   7.358    6.875
//	ulp       1.922  1.934  2.017  2.799  3.565  5.402  8.015  12.56   7.127    2.031
//	jitter    1.844  1.865  1.979  2.975  3.907  6.201  7.764  10.73   8.712    1.956
//	nab       2.023  2.039  2.165  2.680  3.426  5.122  7.734  10.69   5.738    2.065
//
// Millions of samples a second on one core of a shared virtual machine (AMD EPYC, 2.4 GHz), runs of 1,024, the
// best of nine; there, Gorilla encodes walk at 14 and decodes it at 36, pcodec at 2.5 and 46 (through Python, and
// each run by itself):
//
//	          encode  decode  iterate  print
//	walk          62     250      149     37
//	gauss         59     319      151     39
//	constant     574     805      176     73
//	counter       53     327      141     38
//	random        30     260      133      8
//	ulp           41     174      121     12
//	jitter        39     200      109     38
//	nab           31     189      109     24
//
// The machine was busy: single figures vary by a third. Of nab, the sum of the least time of each run in 40 rounds gives 44 and 208, of
// walk 111 and 446. A chunk of walk of 1 sample is encoded in 32 ns, of 5 in
// 264 ns, of 20 in 648 ns, of 100 in 5.4 µs.
//
//	go test ./internal/chunk -v -run TestSets -args -nab FILE
//	go test ./internal/chunk -run '^$' -bench . -nab FILE
//
// Codes are in bins only where these save three bits each, since they take longer to write and to read than a fixed
// width. With two bits nab takes 1.992 bytes and is decoded a twentieth slower; by
// estimate, it would be 5 % smaller with bins wherever they gain anything.
package chunk
