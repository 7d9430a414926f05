package promql

import (
	"strconv"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// Format returns an expression as Prometheus prints it: over several lines where one would be long. Its errors are of type *Error.
func (e *Engine) Format(expr string) (string, error) {
	parsed, err := e.parse(expr)
	if err != nil {
		return "", err
	}
	return parsed.Pretty(0), nil
}

// Parse returns the tree of an expression, such that encoding/json prints it as Prometheus' parse_query does. Its errors are of type
// *Error.
func (e *Engine) Parse(expr string) (any, error) {
	parsed, err := e.parse(expr)
	if err != nil {
		return nil, err
	}
	return tree(parsed), nil
}

// node is a node of a tree: its type, and what else there is about it.
type node map[string]any

// tree returns the tree of an expression, nil of none.
func tree(expr parser.Expr) any {
	switch x := expr.(type) {
	case nil:
		return nil
	case *parser.NumberLiteral:
		return node{"type": "numberLiteral", "val": number(x)}
	case *parser.StringLiteral:
		return node{"type": "stringLiteral", "val": x.Val}
	case *parser.ParenExpr:
		return node{"type": "parenExpr", "expr": tree(x.Expr)}
	case *parser.UnaryExpr:
		return node{"type": "unaryExpr", "op": x.Op.String(), "expr": tree(x.Expr)}
	case *parser.BinaryExpr:
		return node{
			"type": "binaryExpr", "op": x.Op.String(), "lhs": tree(x.LHS), "rhs": tree(x.RHS),
			"matching": matching(x.VectorMatching), "bool": x.ReturnBool,
		}
	case *parser.AggregateExpr:
		return node{
			"type": "aggregation", "op": x.Op.String(), "expr": tree(x.Expr), "param": tree(x.Param),
			"grouping": list(x.Grouping), "without": x.Without,
		}
	case *parser.Call:
		return call(x)
	case *parser.VectorSelector:
		return selector("vectorSelector", x)
	case *parser.MatrixSelector:
		n := selector("matrixSelector", x.VectorSelector.(*parser.VectorSelector))
		n["range"], n["rangeExpr"] = x.Range.Milliseconds(), duration(x.RangeExpr)
		return n
	case *parser.SubqueryExpr:
		return node{
			"type": "subquery", "expr": tree(x.Expr),
			"range": x.Range.Milliseconds(), "rangeExpr": duration(x.RangeExpr),
			"offset": x.OriginalOffset.Milliseconds(), "offsetExpr": duration(x.OriginalOffsetExpr),
			"step": x.Step.Milliseconds(), "stepExpr": duration(x.StepExpr),
			"timestamp": x.Timestamp, "startOrEnd": startOrEnd(x.StartOrEnd),
		}
	case *parser.DurationExpr:
		return duration(x)
	}
	panic("BUG: the parser gave an expression of an unknown type")
}

// call returns the node of a function's call.
func call(x *parser.Call) node {
	args := make([]any, len(x.Args))
	for i, arg := range x.Args {
		args[i] = tree(arg)
	}
	f := node{"name": x.Func.Name, "argTypes": x.Func.ArgTypes, "variadic": x.Func.Variadic, "returnType": x.Func.ReturnType}
	return node{"type": "call", "func": f, "args": args}
}

// selector returns the node of a selector, without the range of a matrix selector.
func selector(typ string, x *parser.VectorSelector) node {
	return node{
		"type": typ, "name": x.Name, "matchers": matchers(x.LabelMatchers),
		"offset": x.OriginalOffset.Milliseconds(), "offsetExpr": duration(x.OriginalOffsetExpr),
		"timestamp": x.Timestamp, "startOrEnd": startOrEnd(x.StartOrEnd),
		"anchored": x.Anchored, "smoothed": x.Smoothed,
	}
}

// matchers returns the nodes of matchers.
func matchers(ms []*labels.Matcher) []node {
	nodes := make([]node, len(ms))
	for i, m := range ms {
		nodes[i] = node{"name": m.Name, "value": m.Value, "type": m.Type.String()}
	}
	return nodes
}

// matching returns the node of how the sides of a binary expression meet, nil where one is a scalar.
func matching(m *parser.VectorMatching) any {
	if m == nil {
		return nil
	}
	return node{
		"card": m.Card.String(), "labels": list(m.MatchingLabels), "on": m.On, "include": list(m.Include),
		"fillValues": node{"lhs": m.FillValues.LHS, "rhs": m.FillValues.RHS},
	}
}

// duration returns the tree of what a duration is computed from, nil where it was given as such. A nil of any type is nil.
func duration(expr parser.Expr) any {
	switch x := expr.(type) {
	case *parser.DurationExpr:
		if x == nil {
			return nil
		}
		return node{"type": "durationExpr", "op": x.Op.String(), "lhs": duration(x.LHS), "rhs": duration(x.RHS), "wrapped": x.Wrapped}
	case *parser.NumberLiteral:
		if x == nil {
			return nil
		}
		return node{"type": "numberLiteral", "val": number(x), "duration": x.Duration}
	}
	return tree(expr)
}

// number prints a literal without an exponent.
func number(x *parser.NumberLiteral) string { return strconv.FormatFloat(x.Val, 'f', -1, 64) }

// list returns l, or an empty list, which JSON tells from null.
func list(l []string) []string {
	if l == nil {
		return []string{}
	}
	return l
}

// startOrEnd returns the name of the @ modifier's start() or end(), nil of neither.
func startOrEnd(i parser.ItemType) any {
	if i == 0 {
		return nil
	}
	return i.String()
}
