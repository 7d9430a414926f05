package decimal

// Eight decimal digits in a word: one digit a byte, the first digit in the lowest byte,
// so that a little-endian load or store keeps the order of the text. The bytes hold 0-9,
// without the '0' of ASCII, unless said otherwise. The arithmetic on lanes is that of
// Lemire, "Quickly parsing eight digits" (2018), and of Khuong, "How to print integers
// really fast" (2017).

// zeros is the text of eight zeros.
const zeros = 0x3030303030303030

// notDigits has the top bit set in each byte of x that is not 0-9, and may have others
// set above such a byte. It is 0 exactly if all eight bytes are digits.
func notDigits(x uint64) uint64 {
	return (x + 0x7676767676767676 | x) & 0x8080808080808080
}

// joinDigits returns the number that the eight digits of x make.
func joinDigits(x uint64) uint64 {
	x = x * (10<<8 + 1) >> 8 & 0x00FF00FF00FF00FF // four lanes of two digits
	x = x * (100<<16 + 1) >> 16 & 0x0000FFFF0000FFFF
	return x * (10000<<32 + 1) >> 32
}

// splitDigits returns the eight digits of n, leading zeros included, for n < 1e8.
func splitDigits(n uint64) uint64 {
	high := n / 10000
	x := high | (n-high*10000)<<32 // two lanes of four digits
	q := x * 10486 >> 20 & 0x0000007F0000007F
	x = q | (x-q*100)<<16 // four lanes of two
	q = x * 103 >> 10 & 0x000F000F000F000F
	return q | (x-q*10)<<8
}
