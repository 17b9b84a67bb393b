'use strict';
// The page of `./umbra map`: draws the data that space.py describes. Addresses have 64 bits, more than a
// Number holds: they are BigInt, or `flat`, the distance from the lowest address without the hole between
// the two halves, which has 48 bits.

const data = JSON.parse(document.getElementById('data').textContent);
const PAGE = 4096, HALF = 2 ** 47, TOP = 2 ** 48, KERNEL_HALF = 0xffff800000000000n;
const LEVELS = [['PML4', 39n], ['PDPT', 30n], ['PD', 21n], ['PT', 12n]];
const LARGE = 1n << 7n, ADDRESS = 0x000ffffffffff000n, PRESENT = 1n, WRITABLE = 2n, USER = 4n;
const NEAR = 2 ** 22;          // regions closer than this are one place
const HEIGHT = 640, OVERVIEW = 46, LABELS = 185, SMALLEST = 2.5;
const SVG = 'http://www.w3.org/2000/svg';
const PATTERNS = {
  zero: '<path d="M0 0L8 8M8 0L0 8"/>', cow: '<circle cx="4" cy="4" r="1.7"/>',
  shared: '<path d="M-2 2L2 -2M0 8L8 0M6 10L10 6"/>', file: '<path d="M2 1V3M6 5V7" stroke-width=".7"/>',
  parked: '<path d="M4 0V8"/>',
};

const byId = (id) => document.getElementById(id);
const flat = (linear) => linear >= KERNEL_HALF ? HALF + Number(linear - KERNEL_HALF) : Number(linear);
const linearOf = (at) => at >= HALF ? KERNEL_HALF + BigInt(at - HALF) : BigInt(at);
const hex = (number) => '0x' + number.toString(16);
const pageOf = (at) => Math.floor(at / PAGE) * PAGE;

function make(name, parent, attributes = {}, text = '') {
  const svg = parent.namespaceURI === SVG || name === 'svg';
  const node = svg ? document.createElementNS(SVG, name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.textContent = text;
  return parent.appendChild(node);
}

// The data, with numbers for drawing

const spaces = [];
for (const moment of data.moments) {
  for (const space of moment.spaces) {
    space.moment = moment;
    space.regions.sort((a, b) => flat(BigInt(a.first)) - flat(BigInt(b.first)));
    for (const region of space.regions) {
      region.low = flat(BigInt(region.first));
      region.high = region.low + region.pages * PAGE;
    }
    spaces.push(space);
  }
}
const view = { left: Math.max(0, spaces.findIndex((space) => space.current)), right: -1, low: 0, high: TOP,
               at: null, space: null, hits: [], hit: -1, query: '' };

const regionAt = (space, at) => space.regions.find((region) => region.low <= at && at < region.high);
const order = (space) => data.moments.length > 2 ? `${data.moments.indexOf(space.moment) + 1}: ` : '';
const title = (space) => order(space) + `at ${space.moment.name}: pid ${space.pid} (${space.name})`;

// The steps of a walk, as the debugger's `walk` prints them
function walk(space, linear) {
  const steps = [];
  let table = BigInt(space.cr3);
  for (const [level, shift] of LEVELS) {
    const index = Number(linear >> shift & 511n);
    const found = (space.moment.tables[hex(table)] || []).find((pair) => pair[0] === index);
    const entry = found ? BigInt(found[1]) : 0n;
    const leaf = level === 'PT' || level !== 'PML4' && Boolean(entry & LARGE);
    steps.push({ level, shift, table, index, entry, leaf });
    if (!(entry & PRESENT) || leaf) break;
    table = entry & ADDRESS;
  }
  return steps;
}

function bitWords(step) {
  if (!(step.entry & PRESENT)) {
    return 'not present' + (step.entry ? ` (the other bits are ${hex(step.entry)})` : '');
  }
  const names = data.bits.filter(([bit]) => step.entry >> BigInt(bit) & 1n).map(([, name]) => name);
  if (step.leaf && step.level !== 'PT') names.push('large page');
  if (!(step.entry & WRITABLE)) names.splice(1, 0, 'read-only');
  if (!(step.entry & USER)) names.splice(2, 0, 'supervisor');
  return names.join(', ');
}

function stepLine(step) {
  return `${step.level.padEnd(4)} at ${hex(step.table)}, entry ${String(step.index).padStart(3)}: 0x`
    + `${step.entry.toString(16).padStart(16, '0')}  ${bitWords(step)}`;
}

function physical(steps, linear) {
  const last = steps[steps.length - 1];
  if (!(last.entry & PRESENT)) return null;
  const size = 1n << last.shift;
  return (last.entry & ADDRESS & ~(size - 1n)) + linear % size;
}

function frameAt(moment, address) {
  const run = moment.frames.find(([first, count]) => BigInt(first) <= address
    && address < BigInt(first) + BigInt(count * PAGE));
  return run && { kind: run[2], refs: run[3] };
}

function frameWords(moment, address) {
  const frame = frameAt(moment, address), at = hex(address & ~4095n);
  if (!frame) return 'The kernel has no record of this frame.';
  if (at === moment.zero) {
    return `Frame ${at} is the frame of zeros, which all untouched anonymous pages share: `
      + `${frame.refs} references.`;
  }
  return `Frame ${at} is ${data.kinds[frame.kind] || frame.kind}: ${frame.refs} reference`
    + `${frame.refs === 1 ? '' : 's'}.`;
}

// Who maps a frame, in all processes of a moment: the user pages
function sharers(moment, address) {
  const found = [];
  for (const space of moment.spaces) {
    for (const region of space.regions.filter((one) => one.low < HALF)) {
      let at = region.low;
      for (const [first, count] of region.frames) {
        const page = Number(address - BigInt(first)) / PAGE;
        if (page >= 0 && page < count) found.push([space, at + Math.floor(page) * PAGE]);
        at += count * PAGE;
      }
    }
  }
  return found;
}

// Details

function fact(list, name, words) {
  if (words) {
    make('dt', list, {}, name);
    make('dd', list, { 'data-fact': name }, words);
  }
}

function showDetails() {
  const { space, at } = view, region = regionAt(space, at), linear = linearOf(at);
  const steps = walk(space, linear), target = physical(steps, linear), box = byId('details');
  box.textContent = '';
  const list = make('dl', box);
  fact(list, 'Address', hex(linear));
  fact(list, 'In', title(space));
  if (region) {
    fact(list, 'Region', `${region.first}-${region.end}, ${region.pages} pages`);
    fact(list, 'Area', region.area);
    fact(list, 'What', region.what);
    fact(list, 'Rights', `${region.low >= HALF ? 'kernel' : 'user'} ${region.rights}`);
    fact(list, 'State', `${region.state}: ${data.states[region.state]}`);
    const inBss = region.bss !== null && linear >= BigInt(region.bss);
    if (region.offset !== null) {
      const offset = BigInt(region.offset) + BigInt(at - region.low);
      fact(list, 'File', inBss ? `page ${offset / 4096n} of ${region.path}`
        : `byte ${hex(offset)} of ${region.path}, in page ${offset / 4096n} of the file`);
    }
    const bss = ', in the part that has no bytes in the file (.bss)';
    fact(list, 'Segment', inBss && !region.segment.includes(bss) ? region.segment.replace(/\.$/, `${bss}.`) : region.segment);
  } else {
    fact(list, 'What', 'nothing is mapped here');
  }
  if (target !== null) {
    fact(list, 'Physical', hex(target));
    fact(list, 'Frame', frameWords(space.moment, target));
    const found = at < HALF ? sharers(space.moment, target & ~4095n) : [];
    fact(list, 'Mapped by', found.slice(0, 20).map(([one, where]) =>
      `pid ${one.pid} at ${hex(linearOf(where))}`).join('; ')
      + (found.length > 20 ? `; and ${found.length - 20} more` : ''));
  }
  byId('walk').textContent = steps.map(stepLine).join('\n');
}

// Drawing

const svg = byId('map');
const yOf = (at) => HEIGHT * (view.high - at) / (view.high - view.low);
const shown = () => [view.left, view.right].filter((index) => index >= 0).map((index) => spaces[index]);

function kind(region) {
  if (region.low >= HALF) return 'kernel';
  if (region.rights === '---') return 'none';
  const written = region.rights[1] === 'w', run = region.rights[2] === 'x';
  return written && run ? 'wx' : written ? 'w' : run ? 'x' : 'r';
}

function drawPatterns(parent) {
  const defs = make('defs', parent);
  for (const [name, shape] of Object.entries(PATTERNS)) {
    const pattern = make('pattern', defs, { id: 'p-' + name, width: 8, height: 8,
      patternUnits: 'userSpaceOnUse', stroke: 'var(--pattern)', fill: 'var(--pattern)' });
    pattern.innerHTML = shape;
  }
}

function box(parent, x, width, region, attributes) {
  const top = yOf(region.high), height = Math.max(SMALLEST, yOf(region.low) - top);
  return make('rect', parent, { x, width, y: top, height, ...attributes });
}

function drawColumn(space, x, width, changed) {
  let labelled = HEIGHT + 99;
  for (const region of space.regions) {
    if (region.high <= view.low || region.low >= view.high) continue;
    const words = `${region.first} to ${region.end}, ${region.rights}, ${region.what}, ${region.state}`;
    const rect = box(svg, x, width, region, { class: 'region ' + kind(region), role: 'button',
      'aria-label': words, 'data-first': region.first, 'data-space': spaces.indexOf(space),
      tabindex: space === view.space && regionAt(space, view.at) === region ? 0 : -1 });
    make('title', rect, {}, words);
    if (PATTERNS[region.state]) {
      box(svg, x, width, region, { class: 'pattern', fill: `url(#p-${region.state})` });
    }
    drawPages(region, x, width);
    const y = Math.min(HEIGHT - 4, Math.max(11, (yOf(region.low) + yOf(region.high)) / 2 + 4));
    if (labelled - y >= 12) {
      make('text', svg, { x: x + width + 5, y }, `${region.rights} ${label(region)}`);
      labelled = y;
    }
  }
  for (const [first, end] of changed) {
    const range = { low: flat(BigInt(first)), high: flat(BigInt(end)) };
    if (range.high > view.low && range.low < view.high) box(svg, x - 3, width + 6, range, { class: 'changed' });
  }
}

function label(region) {
  const name = region.path ? region.path.split('/').pop() : region.what;
  const words = name + (region.offset !== null ? ' +' + region.offset : '')
    + (region.state === 'own' || region.state === 'kernel' ? '' : ` (${region.state})`);
  return words.length > 22 ? words.slice(0, 21) + '…' : words;
}

function drawPages(region, x, width) {
  const step = yOf(0) - yOf(PAGE);
  if (step < 5) return;
  for (let at = region.low + PAGE; at < region.high; at += PAGE) {
    if (at > view.low && at < view.high) {
      make('line', svg, { x1: x, x2: x + width, y1: yOf(at), y2: yOf(at), stroke: 'var(--ink)',
        'stroke-width': 0.3 });
    }
  }
}

function drawOverview() {
  const y = (at) => HEIGHT * (1 - at / TOP);
  make('rect', svg, { x: 0, y: 0, width: OVERVIEW, height: HEIGHT, fill: 'var(--panel)', 'data-all': 1 });
  for (const region of spaces[view.left].regions) {
    make('rect', svg, { x: 6, width: OVERVIEW - 12, y: y(region.high), class: kind(region) + ' pattern',
      height: Math.max(SMALLEST, y(region.low) - y(region.high)), stroke: 'var(--ink)', 'stroke-width': 0.3 });
  }
  make('rect', svg, { x: 1, width: OVERVIEW - 2, y: Math.min(HEIGHT - 3, y(view.high)), class: 'changed',
    height: Math.max(3, y(view.low) - y(view.high)) });
}

function draw() {
  const focused = svg.contains(document.activeElement);
  const columns = shown(), all = svg.clientWidth || 800;
  const width = (all - OVERVIEW - 20) / columns.length - LABELS;
  svg.textContent = '';
  drawPatterns(svg);
  drawOverview();
  const pair = data.comparisons[`${view.left} ${view.right}`];
  columns.forEach((space, index) => {
    const x = OVERVIEW + 20 + index * (width + LABELS);
    drawColumn(space, x, width, index && pair ? pair.ranges : []);
    if (space === view.space && view.at !== null) {
      const y = yOf(pageOf(view.at) + PAGE / 2);
      make('path', svg, { class: 'cursor', d: `M${x - 14} ${y - 6}L${x - 3} ${y}L${x - 14} ${y + 6}Z` });
    }
  });
  if (!svg.querySelector('[tabindex="0"]')) svg.querySelector('.region')?.setAttribute('tabindex', 0);
  if (focused) svg.querySelector('[tabindex="0"]')?.focus();
  byId('scale').textContent = `${hex(linearOf(view.low))} to ${hex(linearOf(Math.min(view.high, TOP - 1)))}`
    + `: ${size(view.high - view.low)}, to scale; what is smaller than a line is drawn as a line.`;
}

function size(bytes) {
  const names = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  let index = 0;
  for (; bytes >= 1024 && index < 4; index++) bytes /= 1024;
  return `${Math.round(bytes * 10) / 10} ${names[index]}`;
}

// Moving

function look(low, high) {
  const length = Math.min(TOP, Math.max(4 * PAGE, high - low));
  view.low = Math.floor(Math.min(TOP - length, Math.max(0, low)));
  view.high = view.low + Math.ceil(length);
  draw();
}

function zoom(factor, at = view.at ?? (view.low + view.high) / 2) {
  const centre = at >= view.low && at <= view.high ? at : (view.low + view.high) / 2;
  look(centre - (centre - view.low) * factor, centre + (view.high - centre) * factor);
}

function fit(low, high) {
  const margin = Math.max(PAGE, (high - low) * 0.04);
  look(low - margin, high + margin);
}

// The regions near each other, as places
function places(space) {
  const found = [];
  for (const region of space.regions) {
    const last = found[found.length - 1];
    if (last && region.low - last.high < NEAR && (last.low < HALF) === (region.low < HALF)) {
      last.high = region.high;
    } else {
      found.push({ low: region.low, high: region.high, name: placeName(region) });
    }
  }
  return found;
}

function placeName(region) {
  return region.path ? region.path.split('/').pop() : region.what.replace(/, .*/, '');
}

function select(space, at, move = true) {
  view.space = space;
  view.at = at;
  const region = regionAt(space, at);
  const height = region ? yOf(region.low) - yOf(region.high) : HEIGHT;
  if (move && (at < view.low || pageOf(at) + PAGE > view.high || height < SMALLEST)) {
    const place = places(space).find((one) => one.low <= at && at < one.high);
    if (region || place) fit((place || region).low, (place || region).high);
  }
  draw();
  showDetails();
}

function nextRegion(step) {
  const space = view.space || spaces[view.left], index = space.regions.indexOf(regionAt(space, view.at ?? -1));
  const next = space.regions[Math.min(space.regions.length - 1, Math.max(0, index + step))];
  select(space, next.low);
}

// Search: an address, a frame, a symbol, or words of a region
function hits(space, text) {
  const wanted = text.trim().toLowerCase();
  const frame = wanted.match(/^(?:frame|phys) +(0x[0-9a-f]+)$/);
  if (frame) return sharers(space.moment, BigInt(frame[1]) & ~4095n);
  if (/^0x[0-9a-f]+$/.test(wanted)) {
    const linear = BigInt(wanted);
    if (linear >= 1n << 64n || linear >= BigInt(HALF) && linear < KERNEL_HALF) return [];
    return [[space, flat(linear)]];
  }
  if (space.symbols[text.trim()]) return [[space, flat(BigInt(space.symbols[text.trim()]))]];
  return space.regions.filter((region) => [region.what, region.path, region.state, region.rights,
    region.segment, region.area].join(' ').toLowerCase().includes(wanted)).map((region) => [space, region.low]);
}

function search() {
  const text = byId('search').value;
  if (!text.trim()) return;
  if (text !== view.query) {
    view.hits = hits(spaces[view.left], text);
    view.hit = -1;
    view.query = text;
  }
  view.hit = view.hits.length ? (view.hit + 1) % view.hits.length : -1;
  byId('found').textContent = view.hits.length ? `${view.hit + 1} of ${view.hits.length}` : 'nothing found';
  if (view.hits.length) {
    const [space, at] = view.hits[view.hit];
    if (!shown().includes(space)) {
      view.left = spaces.indexOf(space);
      choose();
    }
    select(space, at);
  }
}

// The tables as a tree: a level is filled when it is opened

function branch(parent, space, table, level, base) {
  const [name, shift] = LEVELS[level];
  for (const [index, text] of space.moment.tables[hex(table)] || []) {
    const entry = BigInt(text), leaf = name === 'PT' || name !== 'PML4' && Boolean(entry & LARGE);
    let linear = base + (BigInt(index) << shift);
    if (level === 0 && index >= 256) linear += 0xffff000000000000n;
    const words = `[${index}] ${hex(linear)} → ${hex(entry & ADDRESS)} ${bitWords({ entry, leaf, level: name })}`;
    if (leaf || !(entry & PRESENT)) {
      const button = make('button', make('div', parent, { class: 'leaf' }), { type: 'button' }, words);
      button.onclick = () => select(space, flat(linear));
    } else {
      const node = make('details', parent, { 'data-linear': hex(linear), 'data-level': name });
      make('summary', node, {}, words);
      node.addEventListener('toggle', () => {
        if (node.open && node.children.length === 1) branch(node, space, entry & ADDRESS, level + 1, linear);
      });
    }
  }
}

function showTree() {
  const space = spaces[view.left], tree = byId('tree');
  tree.textContent = '';
  const root = make('details', tree, { open: '' });
  make('summary', root, {}, `PML4 of ${title(space)}: CR3 ${space.cr3}`);
  branch(root, space, BigInt(space.cr3), 0, 0n);
}

// Differences of the two spaces that are shown
function showDifferences() {
  const pair = data.comparisons[`${view.left} ${view.right}`], list = byId('lines');
  list.textContent = '';
  if (!pair) {
    list.textContent = 'Choose a second space at "beside".';
    return;
  }
  const items = make('ul', list);
  if (!pair.lines.length) make('li', items, {}, 'nothing differs.');
  for (const line of pair.lines) {
    const item = make('li', items), where = line.match(/0x[0-9a-f]+/);
    if (!where) {
      item.textContent = line;
      continue;
    }
    make('button', item, { type: 'button' }, line).onclick = () =>
      select(spaces[view.right], flat(BigInt(where[0])));
  }
}

// Controls

function choose() {
  byId('left').value = view.left;
  byId('right').value = view.right;
  const nav = byId('places');
  nav.textContent = '';
  make('button', nav, { type: 'button' }, 'all').onclick = () => look(0, TOP);
  for (const place of places(spaces[view.left])) {
    make('button', nav, { type: 'button' }, place.name).onclick = () => fit(place.low, place.high);
  }
  if (!shown().includes(view.space)) view.space = spaces[view.left];
  view.query = '';
  showTree();
  showDifferences();
  draw();
  if (view.at !== null) showDetails();
}

// The address space that was in use at a moment, beside the same one at the moment before
function goTo(number) {
  const now = spaces.findIndex((space) => space.moment === data.moments[number] && space.current);
  const after = now >= 0 ? now : spaces.findIndex((space) => space.moment === data.moments[number]);
  const before = spaces.findLastIndex((space, index) => index < after && space.pid === spaces[after].pid
    && space.moment !== spaces[after].moment);
  view.left = before >= 0 ? before : after;
  view.right = before >= 0 ? after : -1;
  byId('said').textContent = `${number + 1} of ${data.moments.length}. ${data.moments[number].said}`;
  choose();
  const where = data.moments[number].said.match(/ at (0x[0-9a-f]+)/);
  if (where) select(spaces[after], flat(BigInt(where[1])));
}

function startTimeline() {
  const slider = byId('time');
  byId('timeline').hidden = data.moments.length < 2;
  slider.max = data.moments.length - 1;
  slider.oninput = () => goTo(Number(slider.value));
  byId('said').textContent = `1 of ${data.moments.length}. ${data.moments[0].said}`;
}

const KEYS = {
  ArrowUp: () => nextRegion(1), ArrowDown: () => nextRegion(-1),
  ArrowRight: () => select(view.space, Math.min(TOP - PAGE, (view.at ?? 0) + PAGE)),
  ArrowLeft: () => select(view.space, Math.max(0, (view.at ?? 0) - PAGE)),
  '+': () => zoom(0.5), '=': () => zoom(0.5), '-': () => zoom(2), 0: () => look(0, TOP),
  PageUp: () => look(view.low + (view.high - view.low) / 2, view.high + (view.high - view.low) / 2),
  PageDown: () => look(view.low - (view.high - view.low) / 2, view.high - (view.high - view.low) / 2),
  Enter: () => {
    const region = regionAt(view.space, view.at ?? -1);
    if (region) fit(region.low, region.high);
  },
};

function start() {
  byId('title').textContent = `Address map: ${data.title}`;
  document.title = byId('title').textContent;
  make('option', byId('right'), { value: -1 }, 'nothing');
  spaces.forEach((space, index) => {
    for (const id of ['left', 'right']) make('option', byId(id), { value: index }, title(space));
  });
  for (const id of ['left', 'right']) {
    byId(id).onchange = () => {
      view[id] = Number(byId(id).value);
      choose();
    };
  }
  byId('search').onkeydown = (event) => {
    if (event.key === 'Enter') search();
  };
  byId('theme').onclick = () => {
    document.documentElement.dataset.theme = document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark';
  };
  if (matchMedia('(prefers-color-scheme: dark)').matches) document.documentElement.dataset.theme = 'dark';
  window.onresize = draw;
  startPicture();
  startTimeline();
  drawLegend();
  const program = places(spaces[view.left])[0];
  view.space = spaces[view.left];
  choose();
  fit(program.low, program.high);
}

function startPicture() {
  svg.onclick = (event) => {
    const { left, top } = svg.getBoundingClientRect(), y = event.clientY - top;
    if (event.clientX - left < OVERVIEW) {
      const at = TOP * (1 - y / HEIGHT), place = places(spaces[view.left])
        .sort((a, b) => Math.abs(a.low - at) - Math.abs(b.low - at))[0];
      fit(place.low, place.high);
    } else if (event.target.dataset.first) {
      const region = regionAt(spaces[event.target.dataset.space], flat(BigInt(event.target.dataset.first)));
      const at = pageOf(view.high - y / HEIGHT * (view.high - view.low));
      select(spaces[event.target.dataset.space], Math.min(region.high - PAGE, Math.max(region.low, at)));
    }
  };
  svg.addEventListener('wheel', (event) => {
    event.preventDefault();
    const y = event.clientY - svg.getBoundingClientRect().top;
    zoom(event.deltaY > 0 ? 1.3 : 1 / 1.3, view.high - y / HEIGHT * (view.high - view.low));
  }, { passive: false });
  svg.onkeydown = (event) => {
    if (KEYS[event.key] && !event.ctrlKey && !event.altKey && !event.metaKey) {
      event.preventDefault();
      KEYS[event.key]();
    }
  };
  document.onkeydown = (event) => {
    if (['search', 'left', 'right'].includes(event.target.id)) return;
    if (event.key === '/') {
      event.preventDefault();
      byId('search').focus();
    } else if (event.key === 't') {
      byId('tree').querySelector('summary').focus();
    }
  };
}

function drawLegend() {
  const entries = [['r', '', 'r-- read'], ['x', '', 'r-x execute'], ['w', '', 'rw- write'],
    ['wx', '', 'rwx write and execute'], ['none', '', data.states.absent], ['kernel', '', data.states.kernel],
    ...Object.keys(PATTERNS).map((state) => ['none', state, data.states[state]])];
  for (const [colour, state, words] of entries) {
    const item = make('span', byId('legend')), sample = make('svg', item, { viewBox: '0 0 22 14' });
    make('rect', sample, { x: 1, y: 1, width: 20, height: 12, class: 'region ' + colour });
    if (state) make('rect', sample, { x: 1, y: 1, width: 20, height: 12, fill: `url(#p-${state})` });
    item.append(words);
  }
}

start();
