-- The help desk: articles that customers search.
CREATE DATABASE IF NOT EXISTS helpdesk CHARACTER SET utf8mb4;
USE helpdesk;

CREATE TABLE articles (
  id int PRIMARY KEY AUTO_INCREMENT,
  title varchar(200) NOT NULL,
  body text NOT NULL,
  audience enum('customer', 'dealer') NOT NULL DEFAULT 'customer',
  labels json,
  published tinyint(1) NOT NULL DEFAULT 1,
  changed_at timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3)
);

INSERT INTO articles (title, body, audience, labels, published) VALUES
  ('Return a parcel', 'Print the label from your account, stick it over the old one and leave the parcel at any post office within thirty days. The refund comes two days after it arrives.', 'customer', '["shipping", "refund"]', 1),
  ('Descale the espresso machine', 'Fill the tank with a litre of water and one tablet, run half of it through the steam wand and half through the group, wait ten minutes, rinse twice.', 'customer', '["coffee", "care"]', 1),
  ('Wash a down sleeping bag', 'Use a large machine, a mild detergent without softener and thirty degrees. Dry it slowly with three tennis balls, which break up the lumps.', 'customer', '["camping", "care"]', 1),
  ('Pair two speakers', 'Switch both on, hold the link button of the first for three seconds, then that of the second. A chime says that they play in stereo.', 'customer', '["audio"]', 1),
  ('Order spare parts', 'Dealers find exploded drawings and prices in the portal. Parts ordered before noon leave the warehouse the same day.', 'dealer', '["parts"]', 1),
  ('Winter opening hours', 'A draft: the shop opens at ten and closes at six from November to February.', 'customer', NULL, 0);

-- What Debezium may do: read, and follow the log.
CREATE USER IF NOT EXISTS 'debezium'@'%' IDENTIFIED BY 'dbz';
GRANT SELECT, RELOAD, SHOW DATABASES, REPLICATION SLAVE, REPLICATION CLIENT, LOCK TABLES
  ON *.* TO 'debezium'@'%';
