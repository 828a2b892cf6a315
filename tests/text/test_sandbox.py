"""A template from anywhere: one line, in a second, in bounded memory."""

import time
import tracemalloc

import pytest

from minillm.text import sandbox
from minillm.text.sandbox import render

ASK = [{"role": "user", "content": "hi"}]


@pytest.mark.parametrize("source, text", [
    ("{{ bos_token }}{% for m in messages %}{{ m['role'] + ':' + m.content | trim }}{% endfor %}", "<B>user:hi"),
    ("{%- set ns = namespace(n=0) %}{% for m in messages[::-1] %}{% set ns.n = ns.n + loop.index %}{% endfor %}{{ ns.n ~ 'x' }}", "1x"),
    ("{% for m in messages %}{% if loop.last and not loop.first %}a{% else %}{{ loop.length }}{% endif %}{% endfor %}", "1"),
    ("{% if tools %}{{ tools | tojson(indent=4) | center(9) }}{% set x = [tools] %}{% endif %}no tools", "no tools"),
    ("{% if 'x' in messages[0] %}{{ messages[0].x }}{% endif %}{{ messages[0].content.split('i')[0].lstrip('x') }}", "h"),
    ("{{ messages | map(attribute='role') | join(', ') }}{{ messages[0].content | tojson }}", 'user"hi"'),
    ("{% generation %}{{ messages[0].content }}{% endgeneration %}{{ strftime_now('%d') | length }}", "hi2"),
    ("{% for m in messages %}{% if m.role == 'user' %}{% continue %}{% endif %}x{% endfor %}{{ missing }}{{ none is none }}", "True"),
    ("{{ raise_exception.__globals__ }}{{ messages.append }}{{ namespace.__init__ }}x", "x"),      # not there
    ("  {% if true %}\n  a\n  {% endif %}", "  a\n"),      # blanks around blocks, as transformers has it
])
def test_what_templates_do(source, text):
    assert render(source, ASK, True, {"bos_token": "<B>"}) == text


@pytest.mark.parametrize("source, reason", [
    ("{{ ''.__class__.__mro__ }}", "unsafe"), ("{{ messages.__init__.__globals__ }}", "unsafe"),
    ("{{ messages[0].update(role='x') }}", "calls Undefined()"), ("{{ 'x'.format(1) }}", "calls format()"),
    ("{{ 'a' * 10**9 }}", "Pow"), ("{{ 'a' * 1000000000 }}", "str * int"), ("{{ '%1000000000d' % 1 }}", "str % int"),
    ("{{ messages[0].content.ljust(1000000000) }}", "calls ljust()"), ("{{ 'a' | center(1000000000) }}", "the filter 'center'"),
    ("{{ ['a'] | map('center', 1000000000) | join }}", "No filter named 'center'"),
    ("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}", "longer than"),
    ("{% set n = namespace(x='aa') %}{% for a in range(99) %}{% set n.x = n.x + n.x %}{% endfor %}", "too long"),
    ("{% set n = namespace(x='aa') %}{% for a in range(99) %}{% set n.x = n.x ~ n.x %}{% endfor %}", "too long"),
    ("{% set n = namespace(x=1) %}{% for a in range(99) %}{% set n.x = [n.x, n.x] %}{% endfor %}", "a list of what is computed"),
    ("{% set n = namespace(x=1) %}{% for a in range(99) %}{% set n.x = namespace(a=n.x, b=n.x) %}{% endfor %}{{ n.x }}", "as text"),
    ("{% set n = namespace(x=[1]) %}{% for a in range(99) %}{% set n.x = n.x + n.x %}{% endfor %}", "list + list"),
    ("{% set n = namespace(x=9) %}{% for a in range(99) %}{% set n.x = n.x * n.x %}{% endfor %}", "int * int"),
    ("{% for a in range(99999) %}" + "x" * 5000 + "{% endfor %}", "more than"), ("{{ messages }}", "a list as text"),
    ("{{ messages | tojson }}", "as JSON"), ("{{ [['a']] | join }}", "a list of what is computed"), ("{{ messages | join }}", "no text"),
    ("{% macro f() %}{% endmacro %}", "Macro"), ("{% include 'x' %}", "Include"), ("{% import 'x' as y %}", "Import"),
    ("{% for a in [1] recursive %}{{ loop([1]) }}{% endfor %}", "recursive"), ("{{ lipsum() }}", "calls Undefined()"),
    ("{{ strftime_now('%d' + 'x' ~ '%c' * 2) }}", "str * int"), ("{{ messages[9].content }}", "no element"),
    ("{{" + "(" * 5000, "recursion"), ("{{ " + "1" * 6000 + " }}", "digits"), ("x" * 70_000, "70,000 characters"), ("{% if %}", "Expected"),
])
def test_what_a_template_may_not_do(source, reason, monkeypatch):
    if reason == "longer than":             # the others end by themselves, on a slow machine later
        monkeypatch.setattr(sandbox, "MOST_SECONDS", 0.2)
    started = time.thread_time()
    tracemalloc.start()
    try:
        with pytest.raises(ValueError) as error:
            render(source, ASK, True, {})
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()
    assert reason in str(error.value) and "\n" not in str(error.value) and len(str(error.value)) < 300
    assert time.thread_time() - started < 1


def test_a_template_changes_no_message():
    render("{{ messages[0].content }}", ASK, True, {})
    assert ASK == [{"role": "user", "content": "hi"}]


def test_the_time_is_that_of_one_rendering(monkeypatch):
    monkeypatch.setattr(sandbox, "MOST_SECONDS", 0.2)
    for _ in range(3):
        assert render("{% for a in range(20000) %}{% endfor %}x", ASK, True, {}) == "x"
