/** What runs in the page: draws the charts that the data describes, again when the size or the colours change. */

/** Plain JavaScript for browsers of the last years; nothing in it is made from data. */
export const CHART_SCRIPT = String.raw`
(() => {
  'use strict';
  const charts = JSON.parse(document.getElementById('charts').textContent);
  const plots = new Map();
  const SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR;
  const STEPS = [1, 10, 100, SECOND, 2 * SECOND, 5 * SECOND, 10 * SECOND, 30 * SECOND, MINUTE, 2 * MINUTE,
    5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY,
    5 * DAY, 10 * DAY, 20 * DAY, 30 * DAY, 50 * DAY, 100 * DAY, 200 * DAY, 365 * DAY, 730 * DAY, 3650 * DAY];
  const UNITS = [['d', DAY], ['h', HOUR], ['m', MINUTE], ['s', SECOND], ['ms', 1]];

  /** Nobody is half an appliance. */
  const COUNTS = [...Array(10).keys()].flatMap((power) => [1, 2, 5].map((times) => times * 10 ** power));

  const duration = (ms) => {
    const sign = ms < 0 ? '-' : '';
    let rest = Math.round(Math.abs(ms));
    const parts = [];
    for (const [name, length] of UNITS) {
      const count = Math.floor(rest / length);
      rest -= count * length;
      if (count > 0) parts.push(count + name);
      if (parts.length > 0 && (parts.length === 2 || count === 0)) break;
    }
    return parts.length === 0 ? '0' : sign + parts.join(' ');
  };
  const number = (value) => value >= 10000 && value % 1000 === 0 ? value / 1000 + 'k' : value.toLocaleString('en');
  const percent = (value) => Math.round(value * 100) + ' %';
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim();

  const marking = (marks) => (plot) => {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.strokeStyle = colour('mark');
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([2 * devicePixelRatio, 3 * devicePixelRatio]);
    for (const at of marks) {
      const x = Math.round(plot.valToPos(at, 'x', true)) + 0.5;
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
    }
    ctx.restore();
  };

  const paths = {
    lines: () => uPlot.paths.linear(),
    steps: () => uPlot.paths.stepped({ align: 1 }),
    bars: () => uPlot.paths.bars({ size: [0.9, 60] }),
  };

  const series = (chart) => (line) => ({
    label: line.label,
    stroke: colour(line.colour),
    width: chart.shape === 'bars' ? 0 : 1.5,
    dash: line.isDashed ? [6, 4] : undefined,
    fill: line.isFilled ? colour(line.colour) + (chart.shape === 'bars' ? '' : '33') : undefined,
    paths: paths[chart.shape](),
    points: { show: false },
    value: (_, value) => value == null ? '–' : chart.isPercent ? percent(value) : value.toLocaleString('en'),
  });

  const axis = (values, rest) => ({
    stroke: colour('text'),
    font: '12px system-ui, sans-serif',
    grid: { stroke: colour('grid'), width: 1 },
    ticks: { stroke: colour('grid'), width: 1 },
    values: (_, splits) => splits.map((split) => split == null ? '' : values(split)),
    ...rest,
  });

  const draw = (chart) => {
    const place = document.getElementById('chart-' + chart.id);
    plots.get(chart.id)?.destroy();
    const yRange = chart.isPercent ? [0, 1] : (_, __, most) => [0, most > 0 ? Math.max(most * 1.05, 1) : 1];
    plots.set(chart.id, new uPlot({
      width: place.clientWidth,
      height: Math.max(180, Math.min(300, place.clientWidth / 2)),
      cursor: { y: false, ...(chart.shape !== 'bars' && { sync: { key: 'time' } }) },
      scales: { x: { time: false, range: () => chart.range }, y: { range: yRange } },
      axes: [
        axis(duration, { incrs: STEPS, space: 70 }),
        axis(chart.isPercent ? percent : number, { size: 56, incrs: chart.isPercent ? [0.1, 0.25, 0.5] : COUNTS }),
      ],
      series: [{ label: chart.shape === 'bars' ? 'left' : 'after', value: (_, value) => value == null ? '–' : duration(value) },
        ...chart.lines.map(series(chart))],
      hooks: { draw: [marking(chart.marks)] },
    }, [chart.xs, ...chart.lines.map((line) => line.values)], place));
  };
  const drawAll = () => charts.forEach(draw);

  drawAll();
  const resized = new ResizeObserver(() => charts.forEach((chart) => {
    const { clientWidth } = document.getElementById('chart-' + chart.id);
    if (clientWidth > 0 && clientWidth !== plots.get(chart.id).width) draw(chart);
  }));
  resized.observe(document.querySelector('main'));
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', drawAll);
  const printing = (isPrinting) => () => {
    document.documentElement.classList.toggle('printing', isPrinting);
    drawAll();
  };
  addEventListener('beforeprint', printing(true));
  addEventListener('afterprint', printing(false));
})();
`;
