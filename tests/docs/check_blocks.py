"""check_blocks.py NARROWGATE FOLDER CATALOGS: `narrowgate check` on every configuration in the Markdown files of FOLDER; a
page without one is a fault, and so is a catalog of CATALOGS (but for demo and generic) without a page."""
import os, pathlib, re, subprocess, sys, tempfile

def blocks(page):
    return re.findall(r'^```yaml\n(.*?)^```', page.read_text(), re.M | re.S)

def check(narrowgate, page, text):
    variables = {name: 'x' for name in re.findall(r'\$\{(\w+)\}', text)}
    with tempfile.NamedTemporaryFile('w', suffix='.yaml') as f:
        f.write(text)
        f.flush()
        run = subprocess.run([narrowgate, 'check', f.name], env={**os.environ, **variables}, text=True, capture_output=True)
    good = run.returncode == 0 and f'catalog {page.stem}' in run.stdout and 'self-test: passed' in run.stdout
    if not good:
        print(f'{page}: {run.stderr or run.stdout}')
    return good

def main(narrowgate, folder, catalogs):
    pages = sorted(pathlib.Path(folder).glob('*.md'))
    names = {c.stem for c in pathlib.Path(catalogs).glob('*.yaml')} - {'demo', 'generic'}
    bad = names ^ {p.stem for p in pages}
    for name in sorted(bad):
        print(f'{name}: a page without a catalog, or a catalog without a page')
    for page in pages:
        found = blocks(page)
        if not found or not all([check(narrowgate, page, text) for text in found]):
            print(f'{page}: no configuration that passes')
            bad.add(page)
    return 1 if bad or not pages else 0

sys.exit(main(*sys.argv[1:]))
