"""Where a graph's nodes and edges stand: callers on the left, and nothing on anything else."""

from collections.abc import Mapping
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from kata_lib.pictures.layers import Edge, Layers, Size, columns
from kata_lib.pictures.svg import Place

names = st.sampled_from("abcdefg")
sizes = st.tuples(st.floats(10, 150), st.floats(10, 60))
graphs = st.dictionaries(st.tuples(names, names), sizes, max_size=14)


def laid(labels: Mapping[Edge, Size]) -> Layers:
    return Layers({node: (80.0, 50.0) for edge in labels for node in edge}, labels)


def overlap(one: tuple[Place, Size], other: tuple[Place, Size]) -> bool:
    (at, size), (there, its) = one, other
    return all(abs(at[i] - there[i]) < (size[i] + its[i]) / 2 - 1e-6 for i in (0, 1))


def test_callers_stand_left_of_those_they_call_and_a_circle_in_one_column() -> None:
    assert columns([("a", "b"), ("b", "c"), ("a", "c"), ("c", "b"), ("c", "d")]) == [["a"], ["b", "c"], ["d"]]


@given(graphs)
def test_no_label_or_node_lies_on_another_and_all_are_in_the_picture(labels: dict[Edge, Size]) -> None:
    picture = laid(labels)
    boxes = [(place, picture.nodes[node]) for node, place in picture.places.items()]
    boxes += [(picture.route(edge).label, size) for edge, size in labels.items()]
    assert not [pair for pair in combinations(boxes, 2) if overlap(*pair)]
    whole = (picture.width, picture.height)
    assert all(
        0 <= at[i] - size[i] / 2 <= at[i] + size[i] / 2 <= whole[i] for at, size in boxes for i in (0, 1)
    )


@given(graphs)
def test_an_edge_passes_its_label_and_ends_at_the_nodes(labels: dict[Edge, Size]) -> None:
    picture = laid(labels)
    for caller, called in labels:
        route = picture.route((caller, called))
        begin, end = route.points[0], route.points[-1]
        assert begin == (picture.places[caller][0] + 40, picture.places[caller][1])
        assert end == (
            picture.places[called][0] + (-40 if route.rightward else 40),
            picture.places[called][1],
        )
        assert route.label[1] in {y for _, y in route.points}
        assert route.rightward == (picture.places[caller][0] < picture.places[called][0])


def test_an_edge_over_a_column_keeps_away_from_its_nodes() -> None:
    label = (40.0, 30.0)
    picture = laid({("a", "b"): label, ("b", "c"): label, ("a", "c"): label})
    (x, y), (_, height) = picture.places["b"], picture.nodes["b"]
    passing = [there for there in picture.route(("a", "c")).points if there[0] == x]
    assert [abs(there[1] - y) > height / 2 for there in passing] == [True]
