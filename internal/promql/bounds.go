package promql

import (
	"fmt"

	"github.com/prometheus/prometheus/promql/parser"
)

const (
	// maxCode is how many bytes of an expression may lie outside of quotes and comments. What the parser takes grows with the
	// square of how deep an expression nests, with 32 KiB it is three seconds at worst.
	maxCode = 32 << 10
	// maxDepth is how deep an expression may nest; each operator of a+b+c+… is a level. Evaluating takes time by the
	// square of it, formatting by its cube: at 250 a tenth of a second.
	maxDepth = 250
)

// parse parses an expression that is not too large to be worked on. Its errors are of type *Error.
func (e *Engine) parse(expr string) (parser.Expr, error) {
	code := codeBytes(expr)
	if code > maxCode {
		return nil, badData(fmt.Errorf("the expression has %d bytes outside of quotes: want %d at most", code, maxCode))
	}
	parsed, err := e.parser.ParseExpr(expr)
	if err != nil {
		return nil, badData(err)
	}
	if code > maxDepth {
		if deep := depth(parsed); deep > maxDepth {
			return nil, badData(fmt.Errorf("the expression nests %d deep: want %d at most; a long a or b or c is one selector with a regular expression", deep, maxDepth))
		}
	}
	return parsed, nil
}

// check refuses an expression that is too large. What is wrong with it otherwise is for the engine to find.
func (e *Engine) check(expr string) error {
	if codeBytes(expr) <= maxDepth {
		return nil // each level takes a byte
	}
	_, err := e.parse(expr)
	return err
}

// codeBytes returns how many bytes of expr are not in quotes or comments.
func codeBytes(expr string) (n int) {
	for i := 0; i < len(expr); i++ {
		switch b := expr[i]; b {
		case '#':
			for i < len(expr) && expr[i] != '\n' {
				i++
			}
		case '"', '\'', '`':
			for i++; i < len(expr) && expr[i] != b; i++ {
				if expr[i] == '\\' && b != '`' {
					i++
				}
			}
		default:
			n++
		}
	}
	return n
}

// depth returns how deep a tree is.
func depth(node parser.Node) (deepest int) {
	for child := range parser.ChildrenIter(node) {
		deepest = max(deepest, depth(child))
	}
	return deepest + 1
}

// Selects says whether an expression selects series at all. Its errors are of type *Error.
func (e *Engine) Selects(expr string) (bool, error) {
	parsed, err := e.parse(expr)
	if err != nil {
		return false, err
	}
	return len(parser.ExtractSelectors(parsed)) > 0, nil
}
