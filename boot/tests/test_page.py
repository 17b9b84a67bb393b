#!/usr/bin/env python3
"""The page of `./umbra map` in a browser: a click, the keys, the search, the tables and the differences
show what the debugger's own commands print about the same stops. Reports in TAP.

    test_page.py --kernel FILE --initrd FILE [--picture FILE] [-- PROGRAM]

With --picture it writes a screenshot instead: the picture of the README.
"""
import argparse
import pathlib
import sys
import tempfile

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support import wait

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import map as umbra_map  # noqa: E402
import tools  # noqa: E402
from debugger import commands  # noqa: E402
from guest_tap import Tap  # noqa: E402

# /bin/stops fork: the pages are those of the scenario fork of boot/bochs/scenarios.toml.
POINTS = ('fork', 'exit')
ADDRESSES = ('main', '__environ', '0x10000000', '0x10001000', '0x7fffffffd000', '0x1000',
             '0xffffffff80200000', '0xffff800000400000')
SIZE = (1280, 900)


class Browser:
    """Chromium with the page."""

    def __init__(self, url):
        options = webdriver.ChromeOptions()
        for word in ('--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage',
                     '--hide-scrollbars', f'--window-size={SIZE[0]},{SIZE[1]}'):
            options.add_argument(word)
        options.set_capability('goog:loggingPrefs', {'browser': 'ALL'})
        options.binary_location = '/usr/bin/chromium'
        self.driver = webdriver.Chrome(options=options)
        self.driver.get(url)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.driver.quit()

    def awaited(self, selector):
        """The first such element, which the page may still have to make."""
        return wait.WebDriverWait(self.driver, 20).until(lambda _: self.all(selector))[0]

    def one(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def fact(self, name):
        """A line of the details, or ''."""
        found = self.all(f'[data-fact="{name}"]')
        return found[0].text if found else ''

    def choose(self, which, value):
        self.one(f'#{which} option[value="{value}"]').click()

    def find(self, text):
        box = self.one('#search')
        box.clear()
        box.send_keys(text, Keys.ENTER)
        return self.one('#found').text

    def keys(self, *keys):
        """Types where the focus is."""
        for key in keys:
            self.driver.switch_to.active_element.send_keys(key)

    def complaints(self):
        return [entry['message'] for entry in self.driver.get_log('browser')
                if entry['level'] in ('SEVERE', 'WARNING')]


class Told:
    """What the debugger's commands say at each stop: command -> lines."""

    def __init__(self):
        self.stops = []

    def visit(self, session):
        said = {}
        for address in ADDRESSES:
            number = f'{session.resolve(address):#x}'
            said['walk', address] = list(commands.run(session, 'walk', [number]))
        said['maps'] = list(commands.run(session, 'maps', []))
        said['frames'] = list(commands.run(session, 'frames', ['0x10000000']))
        pid = session.process().pid
        if self.stops:
            said['ptdiff'] = list(commands.run(session, 'ptdiff', ['first']))
        else:
            list(commands.run(session, 'mark', ['first']))
        self.stops.append((pid, said))


def space_index(report, moment, pid):
    """The number of a space in the page."""
    spaces = [(number, space['pid']) for number, one in enumerate(report['moments'])
              for space in one['spaces']]
    return spaces.index((moment, pid))


def check_walks(tap, browser, report, told):
    """Each address: the same walk, physical address, frame, place in the file and segment."""
    for moment, (pid, said) in enumerate(told.stops):
        browser.choose('left', space_index(report, moment, pid))
        for address in ADDRESSES:
            lines = said['walk', address]
            browser.find(lines[0].split()[3])
            shown = browser.one('#walk').text.split('\n')
            walked = [line.strip() for line in lines if ' at 0x' in line and ', entry ' in line]
            good = shown == walked
            physical = [line.split()[5].rstrip(',') for line in lines if 'physical address' in line]
            good = good and browser.fact('Physical') == ''.join(physical[:1])
            for name, start in (('Frame', 'Frame '), ('Segment', 'Segment '), ('File', ('It is byte', 'Its page'))):
                wanted = [line for line in lines if line.startswith(start)]
                have = browser.fact(name)
                if name == 'File' and have:
                    have = f'It is {have}.' if have.startswith('byte') else f'Its page comes from {have}.'
                good = good and (have == wanted[0] if wanted else not have or moment < 0
                                 or address.startswith('0xffff'))
            tap.point(good, f'at {POINTS[moment]}, {address}: the numbers are those of walk')
            if not good:
                for line in (*lines, '-- the page:', *shown, browser.one('#details').text):
                    tap.comment(line.replace('\n', ' | '))


def check_totals(tap, browser, report, told):
    """Pages of areas as `maps` counts them; sharers as `frames` lists them; differences as `ptdiff`."""
    for moment, (pid, said) in enumerate(told.stops):
        one = next(one for one in report['moments'][moment]['spaces'] if one['pid'] == pid)
        pages = sum(region['pages'] for region in one['regions']
                    if region['state'] not in ('absent', 'kernel'))
        tap.point(f': {pages} pages, ' in said['maps'][0], f'{pages} pages of pid {pid}, as maps says')
    browser.choose('left', space_index(report, 0, 1))
    browser.find('0x10000000')
    wanted = [' '.join((*line.split()[:2], 'at', line.split()[6].rstrip(',')))
              for line in told.stops[0][1]['frames'] if ' maps it at ' in line]
    tap.point(len(wanted) == 2 and sorted(browser.fact('Mapped by').split('; ')) == sorted(wanted),
              f'a shared frame is mapped by {" and ".join(wanted)}, as frames says')
    browser.choose('right', space_index(report, 1, 1))
    shown = [item.text for item in browser.all('#lines li')]
    tap.point(shown == told.stops[1][1]['ptdiff'][1:], 'the differences are those of ptdiff')
    browser.choose('right', space_index(report, 1, 2))
    shown = [item.text for item in browser.all('#lines li')]
    tap.point(any('0x10000000' in line for line in shown), 'the copied page is among the differences')
    tap.point(len(browser.all('.changed')) > 1, 'and marked in the picture')


def check_mouse(tap, browser, report):
    """A click selects the region under it; a click in the tree selects its page."""
    browser.choose('right', -1)
    browser.find('0x10000000')
    large = [rect.get_attribute('data-first') for rect in browser.all('#map rect.region')
             if rect.size['height'] >= 8][:4]
    for first in large:
        browser.one(f'#map rect[data-first="{first}"]').click()
        tap.point(browser.fact('Region').startswith(first + '-'), f'a click on {first} shows its region')
    tap.point(len(large) > 1, 'there were regions to click on')
    for level in ('PML4', 'PDPT', 'PD'):
        browser.awaited(f'#tree [data-level="{level}"] > summary').click()
    leaf = browser.awaited('#tree .leaf button')
    wanted = leaf.text.split()[1]
    leaf.click()
    tap.point(browser.fact('Address') == wanted, f'a click in the tables selects {wanted}')
    tap.point(wanted in [f'{region["first"]}' for space in report['moments'][0]['spaces']
                         for region in space['regions']], 'which is the first page of the program')


def check_keys(tap, browser):
    """All of it without a mouse."""
    browser.find('0x10000000')
    browser.driver.execute_script("document.querySelector('#places button').focus()")
    for _ in range(20):
        browser.keys(Keys.TAB)
        if 'region' in (browser.driver.switch_to.active_element.get_attribute('class') or ''):
            break
    tap.point(browser.driver.switch_to.active_element.get_attribute('data-first') == '0x10000000',
              'Tab goes to the selected region')
    browser.keys(Keys.ARROW_UP)
    above = int(browser.fact('Address'), 16)
    browser.keys(Keys.ARROW_DOWN)
    tap.point(above > 0x10000000 and browser.fact('Address') == '0x10000000', 'up and down: regions')
    browser.keys(Keys.ARROW_RIGHT)
    tap.point(browser.fact('Address') == '0x10001000', 'right: the next page')
    scales = []
    for key in '-+':
        scales.append(browser.one('#scale').text)
        browser.keys(key)
    tap.point(scales[0] != scales[1] != browser.one('#scale').text, 'minus and plus: zoom')
    browser.keys('0')
    tap.point('256 TiB' in browser.one('#scale').text, '0: all')
    browser.keys(Keys.ENTER)
    tap.point('TiB' not in browser.one('#scale').text, 'Enter: the region')
    browser.keys('t')
    before = len(browser.all('#tree details[open]'))
    browser.keys(Keys.TAB, Keys.ENTER)
    tap.point(len(browser.all('#tree details[open]')) != before, 't, Tab, Enter: a table opens or closes')
    browser.keys('/')
    tap.point(browser.driver.switch_to.active_element.get_attribute('id') == 'search', '/: the search')


def check_search(tap, browser):
    for text, wanted in (('main', '1 of 1'), ('cow', '1 of '), ('stack', '1 of '), ('frame 0xfffffffff000',
                                                                                    'nothing'),
                         ('0x800000000000', 'nothing'), ('nonsense', 'nothing')):
        found = browser.find(text)
        tap.point(found.startswith(wanted), f'search: {text}: {found}')
    browser.find('stack')
    tap.point('stack' in browser.fact('What'), 'the stack is found by its name')


def check_time(tap, browser, report):
    """The slider: the space in use beside what it was before; by the arrow keys."""
    browser.driver.execute_script("document.getElementById('time').focus()")
    browser.keys(Keys.ARROW_RIGHT)
    chosen = [browser.driver.execute_script(f'return document.getElementById("{which}").value')
              for which in ('left', 'right')]
    tap.point(chosen == [str(space_index(report, moment, 2)) for moment in (0, 1)],
              'a step of the slider shows the process at its end beside what it was')
    tap.point(browser.one('#said').text.startswith('2 of 2. Stop exit: pid 2'), 'and says when')
    browser.keys(Keys.ARROW_LEFT)
    tap.point(browser.one('#said').text.startswith('1 of 2. Stop fork'), 'and goes back')


def check_looks(tap, browser, report):
    colours = set()
    for _ in range(2):
        colours.add(browser.driver.execute_script('return getComputedStyle(document.body).backgroundColor'))
        browser.one('#theme').click()
    tap.point(len(colours) == 2, 'light and dark')
    drawn = {(part.get_attribute('class'), part.get_attribute('fill'))
             for part in browser.all('#legend rect')}
    tap.point(len(drawn) == len(browser.all('#legend span')), 'no two entries of the legend look the same')
    browser.keys('0')
    wanted = {region['first'] for region in report['moments'][0]['spaces'][0]['regions']}
    browser.choose('left', 0)
    browser.driver.execute_script('look(0, TOP)')
    have = {rect.get_attribute('data-first') for rect in browser.all('#map rect.region')}
    tap.point(wanted == have, f'all {len(wanted)} regions are drawn')


def picture(browser, report, path):
    """The screenshot: the parent at the fork, and the child at its end, which has its own copies."""
    browser.choose('right', space_index(report, 1, 2))
    browser.find('0x10000000')
    browser.one('#search').clear()
    browser.driver.execute_script('document.activeElement.blur()')
    browser.driver.save_screenshot(path)


def run(args, words):
    tap, told = Tap(), Told()
    map_args = umbra_map.parse(['--kernel', args.kernel, '--initrd', args.initrd,
                                *(word for point in POINTS for word in ('--at', point)), '--', *words])
    report = umbra_map.collect(map_args, told.visit)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, 'map.html')
        path.write_text(umbra_map.page(report))
        with Browser(path.as_uri()) as browser:
            if args.picture:
                picture(browser, report, args.picture)
                return 0
            check_walks(tap, browser, report, told)
            check_totals(tap, browser, report, told)
            check_mouse(tap, browser, report)
            check_keys(tap, browser)
            check_search(tap, browser)
            check_time(tap, browser, report)
            check_looks(tap, browser, report)
            complaints = browser.complaints()
            tap.point(not complaints, 'the console has no errors')
            for line in complaints:
                tap.comment(line)
    tap.finish()
    return int(tap.failed > 0)


def main():
    parser = argparse.ArgumentParser(description='Test the page of umbra map.')
    parser.add_argument('--kernel', required=True)
    parser.add_argument('--initrd', required=True, help='an archive with /bin/stops')
    parser.add_argument('--picture', metavar='FILE', help='write a screenshot instead')
    args, words = parser.parse_known_args()
    return run(args, words or ['/bin/stops', 'fork'])


if __name__ == '__main__':
    tools.tap_main(main)
