#!/usr/bin/env python3
"""Writes tables.txt: what Hugging Face's tokenizers 0.23.2 holds each code point to be.

Every property is found by asking the library itself, code point by code point, because its parts follow different and
partly old Unicode versions. Two things cannot be asked that way: combining classes come from Python's unicodedata
(they never change once assigned; the library says only which are not zero), and grapheme classes are read from the
tables of the crate unicode-segmentation, whose src/tables.rs is the only argument.

    pip install tokenizers==0.23.2
    python3 tables.py PATH/TO/unicode-segmentation-1.13.3/src/tables.rs > tables.txt
"""
import re
import sys
import unicodedata

from tokenizers import Regex, normalizers as N, pre_tokenizers as P

POINTS = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]


def ranges(points):
    out = []
    for c in sorted(points):
        if out and c == out[-1][1] + 1:
            out[-1][1] = c
        else:
            out.append([c, c])
    return ' '.join('%x' % a if a == b else '%x-%x' % (a, b) for a, b in out)


def split_by(pre, around='a'):
    return {c for c in POINTS if len(pre.pre_tokenize_str(around + chr(c) + around)) > 1}


def removed_by(norm):
    return {c for c in POINTS if norm.normalize_str(chr(c)) == ''}


def bert(**on):
    args = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False)
    return N.BertNormalizer(**{**args, **on})


def changed_by(norm):
    return {c: s for c in POINTS if (s := norm.normalize_str(chr(c))) != chr(c)}


def sets():
    yield 'space', split_by(P.WhitespaceSplit())
    yield 'punctuation', split_by(P.Punctuation())
    yield 'numeric', split_by(P.Digits(individual_digits=True))
    yield 'word', {c for c in POINTS if len(P.Whitespace().pre_tokenize_str('a' + chr(c) + 'a')) == 1}
    yield 'control', removed_by(bert(clean_text=True))
    yield 'nonspacing', removed_by(bert(strip_accents=True))
    yield 'mark', removed_by(N.StripAccents())
    for name in ('L', 'Lu', 'Ll', 'Lt', 'Lm', 'Lo', 'M', 'N', 'Nd', 'P', 'S', 'Han'):
        pre = P.Split(Regex(r'\p{%s}' % name), 'removed')
        yield 're' + name, {c for c in POINTS if not pre.pre_tokenize_str(chr(c))}


def lower():
    out = []
    for c, s in sorted(changed_by(N.Lowercase()).items()):
        if len(s) > 1:
            assert c == 0x130, hex(c)
            continue
        d = ord(s) - c
        if out:
            a, b, step, delta = out[-1]
            if delta == d and ((a == b and c - a in (1, 2)) or (a != b and c - b == step)):
                out[-1] = (a, c, c - b, d)
                continue
        out.append((c, c, 1, d))
    return ' '.join('%x-%x/%d%+d' % r for r in out)


def maps():
    hexes = lambda s: '.'.join('%x' % ord(x) for x in s)
    hangul = range(0xAC00, 0xD7A4)
    nfd, nfkd = changed_by(N.NFD()), changed_by(N.NFKD())
    composed = changed_by(N.NFC())
    yield 'canonical', ' '.join('%x=%s' % (c, hexes(s)) for c, s in nfd.items() if c not in hangul)
    yield 'compatible', ' '.join('%x=%s' % (c, hexes(s)) for c, s in nfkd.items()
                                 if c not in hangul and nfd.get(c) != s)
    pairs = []
    for c in nfd:
        parts = unicodedata.decomposition(chr(c)).split()
        if c not in hangul and c not in composed and len(parts) == 2:
            pairs.append('%x=%s' % (c, '.'.join('%x' % int(p, 16) for p in parts)))
    yield 'pair', ' '.join(pairs)


def classes():
    nfd = N.NFD()
    by_class = {}
    for c in POINTS:
        pair = '\u0345' + chr(c)  # U+0345 has the highest class, 240: all other marks move before it
        if c == 0x345 or (nfd.normalize_str(chr(c)) == chr(c) and nfd.normalize_str(pair) != pair):
            by_class.setdefault(unicodedata.combining(chr(c)), set()).add(c)
    return by_class


def graphemes(path):
    source = open(path).read()
    table = source[source.index('grapheme_cat_table'):]
    by_class = {}
    for a, b, name in re.findall(r"'\\u\{(\w+)\}',\s*'\\u\{(\w+)\}',\s*GC_(\w+)\)", table):
        by_class.setdefault(name, set()).update(range(int(a, 16), int(b, 16) + 1))
    linkers = re.search(r'fn is_incb_linker.*?matches!\(c,(.*?)\)', source, re.S).group(1)
    by_class['InCB_Linker'] = {int(x, 16) for x in re.findall(r'\\u\{(\w+)\}', linkers)}
    return by_class


def main():
    print('# Made by tables.py; do not edit.')
    for name, points in sets():
        print(name, ranges(points))
    print('lower', lower())
    for name, text in maps():
        print(name, text)
    for ccc, points in sorted(classes().items()):
        print('ccc:%d' % ccc, ranges(points))
    for name, points in sorted(graphemes(sys.argv[1]).items()):
        print('grapheme:%s' % name, ranges(points))


main()
