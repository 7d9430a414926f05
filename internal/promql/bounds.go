package promql

import (
	"fmt"
	"regexp/syntax"
	"strings"
	"time"

	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/util/strutil"
)

const (
	// maxCode is how many bytes of an expression may lie outside of quotes and comments. What the parser takes grows with the
	// square of how deep an expression nests, with 32 KiB it is three seconds at worst.
	maxCode = 32 << 10
	// maxDepth is how deep an expression may nest; each operator of a+b+c+… is a level. Evaluating takes time by the
	// square of it, formatting by its cube: at 250 a tenth of a second.
	maxDepth = 250
	// maxPatterns is how large the regular expressions of a request may be together: see cost. To compile so many takes about a second.
	maxPatterns = 100_000
	// maxSubquery is how many steps a subquery may have, over the whole range of a query: the engine takes 16 bytes for each before
	// it evaluates anything.
	maxSubquery = 1_000_000
	// maxLabel is how many bytes a label may come to that label_join and label_replace make, where each label of a series that they
	// take is guessed to have typicalLabel bytes: nested calls that name a label twice double it at each level, in each of the series.
	maxLabel, typicalLabel = 16 << 10, 32
)

// parse parses an expression that is not too large to be worked on. Its errors are of type *Error.
func (e *Engine) parse(expr string) (parser.Expr, error) {
	code, err := measure(expr)
	if err != nil {
		return nil, badData(err)
	}
	parsed, err := e.parser.ParseExpr(expr)
	if err != nil {
		return nil, badData(err)
	}
	if code > maxDepth { // each level takes a byte
		if deep := depth(parsed); deep > maxDepth {
			return nil, badData(fmt.Errorf("the expression nests %d deep: want %d at most; a long a or b or c is one selector with a regular expression", deep, maxDepth))
		}
	}
	return parsed, nil
}

// check refuses an expression that is too large to be evaluated over a time of this length.
func (e *Engine) check(expr string, span time.Duration) error {
	parsed, err := e.parse(expr)
	if err != nil {
		return err
	}
	if err := subqueries(parsed, span); err != nil {
		return badData(err)
	}
	if longestLabel(parsed) > maxLabel {
		return badData(fmt.Errorf("the expression has label_join or label_replace make a label of more than %d bytes: name fewer labels, or shorter texts", maxLabel))
	}
	return nil
}

// longestLabel returns how many bytes the longest label below node may come to, by the guess that maxLabel tells; more than maxLabel is any such number.
func longestLabel(node parser.Node) int {
	longest := typicalLabel
	for child := range parser.ChildrenIter(node) {
		longest = max(longest, longestLabel(child))
	}
	call, ok := node.(*parser.Call)
	if !ok || longest > maxLabel {
		return longest
	}
	switch call.Func.Name {
	case "label_join":
		sources := len(call.Args) - 3
		return max(longest, sources*(longest+len(literal(call.Args[2]))))
	case "label_replace":
		replacement := literal(call.Args[2])
		return max(longest, len(replacement)+strings.Count(replacement, "$")*longest)
	default:
		return longest
	}
}

// literal returns a string literal's text.
func literal(e parser.Expr) string {
	for {
		switch of := e.(type) {
		case *parser.ParenExpr:
			e = of.Expr
		case *parser.StepInvariantExpr:
			e = of.Expr
		case *parser.StringLiteral:
			return of.Val
		default:
			return ""
		}
	}
}

// subqueries returns an error if a subquery below node, which is evaluated over span, has too many steps.
func subqueries(node parser.Node, span time.Duration) error {
	if sub, ok := node.(*parser.SubqueryExpr); ok {
		step := sub.Step
		if step <= 0 {
			step = subqueryStep * time.Millisecond
		}
		if span += sub.Range; span < 0 || span/step > maxSubquery {
			return fmt.Errorf("the subquery %s has more than %d steps: take a longer step or a shorter range", sub, maxSubquery)
		}
	}
	for child := range parser.ChildrenIter(node) {
		if err := subqueries(child, span); err != nil {
			return err
		}
	}
	return nil
}

// measure returns how many bytes of expr are not in quotes or comments. It is an error if those are too many, or what is in quotes
// costs too much as regular expressions.
func measure(expr string) (code int, err error) {
	patterns := 0
	for i := 0; i < len(expr); i++ {
		switch b := expr[i]; b {
		case '#':
			for i < len(expr) && expr[i] != '\n' {
				i++
			}
		case '"', '\'', '`':
			start := i
			for i++; i < len(expr) && expr[i] != b; i++ {
				if expr[i] == '\\' && b != '`' {
					i++
				}
			}
			if i >= len(expr) {
				return code, nil // the parser finds that there is no end
			}
			if text, err := strutil.Unquote(expr[start : i+1]); err == nil {
				patterns += cost(text, maxPatterns-patterns)
			}
		default:
			code++
		}
	}
	if code > maxCode {
		return code, fmt.Errorf("the expression has %d bytes outside of quotes: want %d at most", code, maxCode)
	}
	if patterns > maxPatterns {
		return code, fmt.Errorf("the texts of the expression are too large as regular expressions: they come to more than %d characters when all repetitions are written out", maxPatterns)
	}
	return code, nil
}

// cost returns how large a regular expression is with its repetitions written out, as it is when it is compiled, in characters and operators; more than
// most is most+1. What is none costs its length.
func cost(pattern string, most int) int {
	if len(pattern) > most {
		return most + 1
	}
	re, err := syntax.Parse(pattern, syntax.Perl|syntax.DotNL)
	if err != nil {
		return len(pattern)
	}
	return min(size(re), most+1)
}

// size is cost for a parsed one, whose repetitions nest at most 1,000 deep and come to at most some millions (package syntax).
func size(re *syntax.Regexp) int {
	n := 1 + len(re.Rune)
	for _, sub := range re.Sub {
		n += size(sub)
	}
	if re.Op == syntax.OpRepeat {
		n *= max(re.Min, re.Max, 1)
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
