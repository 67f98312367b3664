-- The shop: products, and order lines with a key of two columns.
CREATE TABLE products (
  id integer PRIMARY KEY,
  name text NOT NULL,
  category text NOT NULL,
  description text NOT NULL,
  price numeric(10,2) NOT NULL,
  in_stock boolean NOT NULL DEFAULT true,
  tags text[] NOT NULL DEFAULT '{}',
  attributes jsonb NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE order_lines (
  order_id integer NOT NULL,
  line_no integer NOT NULL,
  product text NOT NULL,
  quantity integer NOT NULL,
  unit_price numeric(10,2) NOT NULL,
  note text,
  cancelled boolean NOT NULL DEFAULT false,
  PRIMARY KEY (order_id, line_no)
);

INSERT INTO products (id, name, category, description, price, in_stock, tags, attributes) VALUES
  (1, 'Alder Breathable Rain Jacket', 'outdoor clothing', 'A light waterproof jacket for days when the forecast says showers and means it. Zips under the arms let warm air out on steep climbs.', 139.90, true, '{vented,light}', '{"color": "moss"}'),
  (2, 'Fjord Alpine Tent', 'camping', 'Shelter for a weekend in the mountains, with room for two sleeping mats. Four seasons of poles and flaps stand up to snow and gusts.', 271.90, true, '{winter}', '{"persons": 2}'),
  (3, 'Cedar Down Sleeping Bag', 'camping', 'A mummy-shaped bag that stays warm when the night falls below freezing, filled with responsibly sourced goose down.', 161.90, true, '{down,light}', '{"comfort": "-10 °C"}'),
  (4, 'Heron Trail Hiking Boots', 'footwear', 'Sturdy ankle boots for rocky paths and a heavy backpack. Deep lugs bite into mud and hold on slippery stone.', 180.40, true, '{grip}', '{"sizes": "36-47"}'),
  (5, 'Alder Quiet Headphones', 'audio', 'Closed headphones that leave only the music: active noise cancelling silences aeroplane engines and open offices.', 209.90, true, '{noise-cancelling}', '{"color": "black"}'),
  (6, 'Brook Wooden Bluetooth Speaker', 'audio', 'A small speaker that fills a kitchen with sound, in a shell of oiled walnut that looks at home on the bookshelf.', 109.15, false, '{wood}', '{"hours": 18}'),
  (7, 'Dune Lever Espresso Machine', 'kitchen', 'Espresso at home with a thick crema from the first cup. A hand-pulled lever puts the pressure under your control.', 623.90, true, '{manual}', '{"bar": 9}'),
  (8, 'Isle Precise Kettle', 'kitchen', 'An electric kettle with a gooseneck spout for slow and careful pouring, set to the degree for green tea.', 74.65, true, '{temperature}', '{"litres": 1.0}'),
  (9, 'Juniper Dimmable Desk Lamp', 'lighting', 'A jointed lamp that puts light exactly where you read or solder, from bright white to candle glow.', 84.90, true, '{dimmable}', '{"lumen": 800}'),
  (10, 'Grove Lumbar Office Chair', 'furniture', 'A chair that follows every movement of the back through the working day and relieves a tired lower back.', 467.90, true, '{ergonomic}', '{"color": "olive"}'),
  (11, 'Ember Cargo City Bicycle', 'cycling', 'An upright bicycle for town. A long front box carries two children or the groceries of a week.', 819.00, true, '{cargo}', '{"gears": 8}'),
  (12, 'Cedar Cork Yoga Mat', 'fitness', 'Soft enough for the knees and firm enough for balance; natural cork gets less slippery the wetter it is.', 49.50, true, '{cork}', '{"length": "183 cm"}');

INSERT INTO order_lines VALUES
  (1001, 1, 'Fjord Alpine Tent', 1, 271.90, 'Please pack it without paper.', false),
  (1001, 2, 'Cedar Down Sleeping Bag', 2, 161.90, NULL, false),
  (1002, 1, 'Dune Lever Espresso Machine', 1, 623.90, 'A present: no bill in the box.', false),
  (1003, 1, 'Alder Quiet Headphones', 1, 209.90, NULL, true);

-- What Debezium may do: read, and follow the log.
CREATE ROLE debezium WITH LOGIN REPLICATION PASSWORD 'dbz';
GRANT SELECT ON ALL TABLES IN SCHEMA public TO debezium;
CREATE PUBLICATION vecsink FOR TABLE products, order_lines;
