"""Tarnbeck Cycle Supply: who it is, what it sells, whom it buys from and sells to.

These are the master data of the demo company, written by hand as small tables;
`trade.py` reads them and invents two years of trade on top.

Everything here is fictitious. Telephone numbers come from the ranges that a
country's numbering plan keeps for fiction (USA 555-01xx, UK 496 0xxx, Germany
23125, 66969, ..., France 01 99 00, Sweden 390 06 ...), and where a country has none
from an exchange `000`, which nobody is given. Web addresses end in `.example`.

A table is one row a line, fields between `|`; ` // ` inside a field is a line break.
Some columns never reach a CSV file, they only steer the trade:

  tier    of a customer: A key account, B regular, C small, D occasional, - never bought
  kind    of a customer: what sort of business it is, hence what it likes to buy
  since   first day on which a customer (a product) can be traded; empty = always
  until   last such day; empty = to this day. A product with an end is discontinued
  pull    of a product: how often it is chosen, relative to the others
  lot     of a product: the least that is worth a customer's while; `shape.TIERS` says how many lots it takes
"""


def rows(columns, text):
    """The rows of a table, each a dict from column name to text ('' where empty)."""
    names = columns.split()
    for line in text.strip().splitlines():
        fields = [field.strip().replace(" // ", "\n") for field in line.split("|")]
        assert len(fields) == len(names), line
        yield dict(zip(names, fields))


CATEGORIES = list(rows("category_id name description", """
1|Tyres & Tubes|City, gravel, road and trail tyres, inner tubes, tubeless kits
2|Drivetrain|Chains, cassettes, cranks, derailleurs and gear cables
3|Brakes|Hydraulic and rim brakes, rotors, pads and brake fluid
4|Wheels & Hubs|Complete wheels, dynamo and freewheel hubs, spokes
5|Cockpit & Saddles|Handlebars, stems, seatposts, grips and saddles
6|Lights & Electronics|Dynamo and battery lights, computers, navigation
7|Bags & Racks|Panniers, bikepacking bags, carriers, baskets and child seats
8|Helmets & Clothing|Helmets, jerseys, rainwear and gloves
9|Tools & Workshop|Hand tools, pumps, stands and measuring tools
10|Lubricants & Care|Oils, waxes, greases and cleaning agents
"""))

SHIPPERS = list(rows("shipper_id company_name phone", """
1|Quillback Parcel|(218) 555-0171
2|Pennine Crosshaul|0114 496 0172
3|Longtide Air & Ocean|(206) 555-0173
4|Cloudberry Express|(612) 555-0174
"""))

EMPLOYEES = list(rows("employee_id last_name first_name title birth_date hire_date city country home_phone reports_to", """
1|Holtby|Maren|Managing Director|1968-05-21|2009-02-02|Duluth|USA|(218) 555-0111|
2|Okafor|Desmond|Vice President, Sales|1974-11-03|2011-08-15|Duluth|USA|(218) 555-0112|1
3|Ferrante|Luisa|Sales Manager, Americas|1979-03-17|2014-04-07|Duluth|USA|(218) 555-0113|2
4|Raghunathan|Priya|Sales Manager, Europe|1981-09-30|2015-01-12|Sheffield|UK|0114 496 0114|2
5|Wilk|Tomasz|Account Manager|1986-07-08|2018-05-14|Sheffield|UK|0114 496 0115|4
6|Kobayashi|Hana|Account Manager|1988-12-26|2019-09-02|Duluth|USA|(218) 555-0116|2
7|Geraghty|Rónán|Inside Sales Representative|1993-02-14|2021-03-01|Sheffield|UK|0114 496 0117|4
8|Nystrom|Caleb|Sales Representative|1990-10-05|2020-06-22|Duluth|USA|(218) 555-0118|3
9|Haddad|Salma|Account Manager|1995-04-19|2025-05-05|Sheffield|UK|0114 496 0119|4
"""))

SUPPLIERS = list(rows("supplier_id company_name contact_name contact_title address city region postal_code country phone home_page", """
1|Lanyang Rubber Works|Wu Shu-fen|Export Manager|No. 88, Section 3, Binhai Rd.|Yilan||260|Taiwan|03-000-0121|https://lanyang-rubber.example
2|Reifenwerk Isental GmbH|Korbinian Aschauer|Sales Manager|Gewerbering 17|Dorfen||84405|Germany|089 99998 221|https://isental.example
3|Sông Hậu Rubber Co.|Trần Thị Mai Lan|Export Manager|Lô 12, Khu công nghiệp Trà Nóc // Quận Bình Thủy|Cần Thơ|||Vietnam|0292 000 0123|
4|Dadu Drivetrain Co., Ltd.|Lai Chih-hao|Account Manager|No. 41, Gongye 9th Rd. // Dali District|Taichung||412|Taiwan|04-0000-0124|https://dadu-drive.example
5|鬼怒川精機株式会社|大槻 誠|Export Manager|平出工業団地 43-8|宇都宮|栃木県|321-0905|Japan|028-000-0125|https://kinugawa.example
6|Calderdale Chainworks Ltd|Martin Sugden|Managing Director|Bobbin Mill // Weir Lane|Hebden Bridge||HX7 8QZ|UK|01632 960226|https://calderchain.example
7|Freni Valsesia S.r.l.|Ottavia Rinaldi|Sales Manager|Via dei Mulini, 23|Varallo|VC|13019|Italy|0163 000 127|https://valsesia-freni.example
8|Taiping Brake Technology|Chen Po-yu|Sales Engineer|No. 205, Zhongshan Rd.|Taichung||411|Taiwan|04-0000-0128|
9|Laufradmanufaktur Eifel|Hildegard Krämer|Owner|Auf der Held 4|Prüm||54595|Germany|0171 3920029|https://laufrad-eifel.example
10|Great Portage Wheel Co.|Wade Sorensen|Wholesale Manager|1800 Ore Dock Rd.|Two Harbors|MN|55616|USA|(218) 555-0130|https://portagewheel.example
11|Selle Brentella S.p.A.|Gianmarco Zorzi|Export Manager|Viale dell'Artigianato, 9|Rossano Veneto|VI|36028|Italy|0424 000 131|https://brentella.example
12|Bow & Stem Ltd|Imogen Clay|Sales Manager|The Old Forge, 2 Saddler's Yard|Redditch||B97 4QX|UK|01632 960232|
13|Houli Alloy Industries|Hsu Ya-ting|Export Manager|No. 19, Lane 460, Sanfeng Rd. // Houli District|Taichung||421|Taiwan|04-0000-0133|https://houli-alloy.example
14|Glimmer Elektronik GmbH|Sönke Tiedemann|Key Account Manager|Am Leuchtturm 30|Bremerhaven||27568|Germany|040 66969 234|https://glimmer.example
15|深圳萤岸电子有限公司|梁晓雯|Export Manager|宝安区福海街道桥头工业路 56 号|深圳|广东|518103|China|0755-0000 0135|https://yingan.example
16|Tammer Light Oy|Aino Kivelä|Sales Manager|Pispalan Koskikatu 7|Tampere||33240|Finland|03 000 0136|https://tammerlight.example
17|Alforja do Minho Lda.|Inês Carvalhal|Production Manager|Rua da Tecelagem, 112|Guimarães||4810-225|Portugal|253 000 137|https://alforja.example
18|North Shore Pannier Co.|Becca Lindahl|Owner|35 Agate Cove Rd.|Grand Marais|MN|55604|USA|(218) 555-0138|https://nspannier.example
19|Rackwerk Zwolle B.V.|Joost Hoekstra|Sales Manager|Ambachtsweg 61|Zwolle||8013 AK|Netherlands|038 000 0139|https://rackwerk.example
20|Casque Vercors SAS|Mathilde Roussillon|Export Manager|ZA Les Quatre Vents // 14, allée des Mélèzes|Villard-de-Lans||38250|France|04 65 71 41 40|https://casque-vercors.example
21|Baltija Knit UAB|Rūta Žemaitytė|Sales Manager|Audėjų g. 16|Panevėžys||35170|Lithuania|(8 45) 000 141|https://baltijaknit.example
22|Šroubek Nářadí s.r.o.|Zdeněk Šroubek|Managing Director|Slévárenská 410|Hradec Králové||500 03|Czechia|495 000 142|https://sroubek.example
23|Mesabi Tool & Stand|Curt Maki|Sales Representative|210 Taconite St.|Hibbing|MN|55746|USA|(218) 555-0143|
24|Slickwater Labs, Inc.|Noelle Prentiss|Wholesale Manager|6400 Refinery Row, Bldg. C|Tulsa|OK|74107|USA|(918) 555-0144|https://slickwater.example
25|Cera Dolomia S.r.l.|Tiziana Dapunt|Sales Manager|Strada Plan, 5|Brunico|BZ|39031|Italy|0474 000 145|https://ceradolomia.example
"""))

PRODUCTS = list(rows("product_id category_id supplier_id name quantity_per_unit unit_price pull lot since until", """
1|1|1|Wayfarer city tyre 700x32|1 tyre|18.9|90|12||
2|1|1|Wayfarer city tyre 700x38, reflective|1 tyre|21.5|51|10||
3|1|1|Gravelback folding tyre 700x40|1 tyre|34.8|95|8||
4|1|1|Gravelback folding tyre 700x45|1 tyre|36.4|43|8|2025-03-03|
5|1|2|Scree trail tyre 29x2.4|1 tyre|46.5|41|6||
6|1|2|Scree trail tyre 27.5x2.35|1 tyre|44|16|6||
7|1|2|Zephyr road tyre 700x28|1 tyre|39.9|61|8||
8|1|2|Zephyr road tyre 700x25|1 tyre|37.5|23|8||2026-03-31
9|1|3|Inner tube 700x28-40, Presta 48 mm|box of 25|71.25|120|4||
10|1|3|Inner tube 29 in, Presta 42 mm|box of 25|76|33|3||
11|1|3|Inner tube 20 in, Schrader|box of 25|63.5|12|2||
12|1|3|Tubeless tape and valve kit|10 sets|88|29|3||
13|2|6|Chain, 9-speed, nickel|1 chain, 116 links|13.4|37|15||
14|2|6|Chain, 10-speed|1 chain, 116 links|15.9|39|15||
15|2|6|Chain, 11-speed|1 chain, 118 links|19.8|92|15||
16|2|4|Chain, 12-speed, low friction|1 chain, 126 links|31.2|64|10||
17|2|4|Cassette 11-32, 10-speed|1 cassette|34.5|19|6||
18|2|4|Cassette 11-34, 11-speed|1 cassette|47.9|51|6||
19|2|4|Cassette 10-51, 12-speed|1 cassette|82.5|45|5||
20|2|5|Rear derailleur, long cage, 1x12|1 piece|96|18|3||
21|2|5|Crankset 40T, 170 mm|1 set|118.5|12|3||
22|2|5|Threaded bottom bracket, sealed|1 piece|17.25|18|10||
23|2|6|Gear cable and housing set|box of 20 sets|92|21|2||
24|3|8|Organic disc pads, two-piston|box of 25 pairs|112.5|82|3||
25|3|8|Sintered disc pads, four-piston|box of 25 pairs|146|29|2||
26|3|8|Rotor 160 mm, centre lock|1 rotor|16.8|39|12||
27|3|8|Rotor 180 mm, six bolt|1 rotor|17.6|23|12||
28|3|7|Hydraulic brake set, flat bar|front and rear|129|19|3||
29|3|7|Hydraulic road caliper pair|1 pair|185|10|2||
30|3|7|Cartridge rim brake pads|box of 50 pairs|98|14|2||
31|3|7|Cantilever brake set|front and rear|26.5|14|4||2025-09-30
32|3|8|Mineral brake fluid|12 x 250 ml bottles|82.8|17|2||
33|4|9|Touring wheelset 700C, 36 spokes|1 pair|236|18|2||
34|4|9|Gravel wheelset 700C, tubeless|1 pair|389|25|2||
35|4|10|City rear wheel with coaster brake|1 wheel|64.9|16|4||
36|4|10|Dynamo front wheel 700C|1 wheel|118|26|3||
37|4|5|Dynamo hub 6 V 3 W, 32 holes|1 hub|74.5|16|4||
38|4|5|Rear hub 12x142, six pawls|1 hub|92|13|3||
39|4|10|Stainless spokes with nipples|box of 500|78|21|2||
40|5|11|Leda touring saddle, leather|1 saddle|74|21|4||
41|5|11|Brenta city saddle, gel|1 saddle|21.9|41|8||
42|5|11|Corsa short-nose saddle|1 saddle|58.5|23|5||
43|5|13|Flared gravel bar, 44 cm|1 bar|42|25|5||
44|5|13|Riser bar, 780 mm|1 bar|33.5|13|6||
45|5|13|Alloy stem 31.8 x 80 mm|1 stem|18.4|14|8||
46|5|13|Dropper post, 150 mm|1 post|128|14|3||
47|5|12|Cork-blend bar tape|box of 20 rolls|158|33|2||
48|5|12|Lock-on grips|box of 24 pairs|132|19|2||
49|5|12|Quill stem adapter|1 piece|9.6|14|10||2025-12-19
50|6|14|Beacon dynamo headlight, 70 lux|1 light|46.8|43|6||
51|6|14|Beacon dynamo rear light|1 light|19.5|29|10||
52|6|15|Firefly USB light set|1 set|16.9|120|15||
53|6|15|Firefly Mini rear light|1 light|8.25|39|20||
54|6|16|Polar 1200 trail lamp|1 lamp, 2 mounts|94|21|4||
55|6|15|Wireless cycle computer|1 piece|23.5|15|8||
56|6|15|GPS head unit, 2.2 in|1 piece|149|29|3|2025-05-12|
57|6|14|E-bike light cable kit|10 kits|67|13|3|2025-09-15|
58|6|14|Halogen headlight, 2.4 W|1 light|11.2|20|8||2025-06-30
59|7|17|Roll-top panniers, 2 x 20 l|1 pair|84|64|4||
60|7|17|Handlebar bag, 7 l|1 bag|38.5|25|6||
61|7|17|Half frame bag|1 bag|34|31|6|2025-02-10|
62|7|18|Saddle pack, 14 l|1 pack|52|25|5||
63|7|18|Waxed canvas satchel pannier|1 bag|76.5|12|4||
64|7|19|Rear rack, tubular, 25 kg|1 rack|29.8|45|8||
65|7|19|Front lowrider rack|1 rack|41|10|4||
66|7|19|Child seat, rack mounted|1 seat|88|13|3||
67|7|17|Wicker front basket|1 basket|22|14|6||
68|8|20|Vercors urban helmet|1 helmet|36.5|55|8||
69|8|20|Vercors road helmet, vented|1 helmet|62|25|6||
70|8|20|Trail helmet with visor|1 helmet|57.5|17|5||
71|8|20|Junior helmet, 48-54 cm|1 helmet|24.9|18|8||
72|8|21|Merino jersey, long sleeve|1 jersey|54|15|5||
73|8|21|Bib shorts, endurance pad|1 pair|61.5|13|5||
74|8|21|Thermal gloves|1 pair|19.75|33|10||
75|8|21|Packable rain jacket|1 jacket|68|33|5||
76|8|21|Hi-vis vest|pack of 10|47|11|4||
77|9|23|Workshop repair stand|1 stand|168|12|2||
78|9|23|Home truing stand|1 stand|72|14|2||2026-06-30
79|9|22|Torque wrench, 2-24 Nm|1 wrench|58|14|3||
80|9|22|Chain tool, professional|1 tool|31.5|14|4||
81|9|22|Tyre lever set|box of 50 sets|94|25|2||
82|9|22|Multi-tool, 18 functions|1 tool|17.8|49|12||
83|9|23|Floor pump with gauge|1 pump|33.9|47|6||
84|9|22|Bottom bracket and cassette tool kit|1 kit|46|9|3||
85|10|24|All-weather chain oil|24 x 100 ml bottles|98.4|84|3||
86|10|24|Dry wax chain lube|24 x 120 ml bottles|117.6|39|3||
87|10|24|Citrus degreaser|4 x 5 l canisters|76|20|2||
88|10|25|Bike wash concentrate|6 x 2 l bottles|58.5|20|3||
89|10|25|Assembly grease|12 x 400 g tubs|108|12|2||
90|10|25|Carbon assembly paste|20 x 50 g sachets|66|14|1||2026-08-21
"""))

_CUSTOMER = "customer_id tier kind since until company_name contact_name contact_title address city region postal_code phone fax"

CUSTOMERS_BY_COUNTRY = {country: list(rows(_CUSTOMER, text)) for country, text in {
    "USA": """
COPPH|A|online|||Copperhead Cycle Outfitters|Dana Whitlock|Purchasing Director|4180 Tamarack Pkwy.|Denver|CO|80216|(303) 555-0114|(303) 555-0115
LAKEW|A|shop|||Lakewind Bike Cooperative|Anders Bjorklund|General Manager|2300 Harbor Ave. W.|Madison|WI|53704|(608) 555-0109|
SPOKL|B|shop|||Spoke & Lantern|Theo Marchetti|Owner|612 Cedar Mill Rd.|Portland|OR|97229|(503) 555-0127|
BIGSK|B|mtb|||Big Sky Singletrack Supply|Jolene Harker|Buyer|77 Quarry Loop|Bozeman|MT|59715|(406) 555-0131|
DAILP|B|commuter|2025-04-14||The Daily Pedaler|Kwame Boateng|Store Manager|88 Foundry St., Suite 3|Chicago|IL|60622|(312) 555-0188|
HUDSV|B|road|||Hudson Velo Works|Peter Lindqvist-Shaw|Buyer|26 Millrace Ln.|Beacon|NY|12508|(845) 555-0119|(845) 555-0120
RIVET|B|workshop|||Rivet Street Bike Works|Luis Carranza|Head Mechanic|1420 Rivet St.|Oakland|CA|94607|(510) 555-0153|
HILLC|B|road|||Hill Country Peloton|Sam Guerrero|Owner|915 Limestone Dr.|Austin|TX|78704|(512) 555-0191|
DESRT|C|road|||Desert Cadence|Marisol Vega|Owner|1509 Ocotillo St.|Tucson|AZ|85719|(520) 555-0162|
BAYOU|C|rental||2026-02-27|Bayou Bike Rentals|Celeste Thibodeaux|Operations Manager|410 Levee Rd.|New Orleans|LA|70130|(504) 555-0175|
GREEN|C|touring|||Greenway Tourers|Abby O'Rourke|Owner|9 Depot Sq.|Burlington|VT|05401|(802) 555-0137|
PUGET|C|commuter|2025-08-25||Puget Wheelhouse|Mei-Lin Forsyth|Store Manager|3307 Shipcanal Way|Seattle|WA|98107|(206) 555-0144|
OZARK|C|mtb|||Ozark Ridge Riders|Tucker Beaumont|Owner|58 Dogwood Hollow Rd.|Bentonville|AR|72712|(479) 555-0183|
PRAIR|C|shop|||Prairie Wheel & Frame|Ruth Dvorak|Owner|244 Haymarket Alley|Lincoln|NE|68508|(402) 555-0116|(402) 555-0117
STEEL|C|workshop|||Steel City Frame & Fork|Vince Palermo|Head Mechanic|71 Blast Furnace Ct.|Pittsburgh|PA|15222|(412) 555-0139|
BLUEG|D|shop||2025-09-12|Bluegrass Bicycle Exchange|Harlan Creech|Owner|530 Paddock Ave.|Lexington|KY|40507|(859) 555-0126|
SUNCO|D|rental|||Suncoast Cruisers|Tiffany Delgado|Manager|1 Mangrove Pt.|Sarasota|FL|34236|(941) 555-0168|
OUTER|D|rental|||Outer Arm Bike Hire|Nathaniel Snow|Owner|12 Rock Harbor Ln.|Orleans|MA|02653|(508) 555-0152|
SLICK|D|mtb|2026-03-16||Slickrock Bike Barn|Jed Yazzie|Owner|690 Sandflats Spur|Moab|UT|84532|(435) 555-0178|
PINET|-|touring|||Pine Tree Velocipede Society|Edith Marston|Secretary|40 Casco Row|Portland|ME|04101|(207) 555-0121|
""",
    "UK": """
PEAKD|A|shop|||Peakdale Cycles Ltd|Fiona Hartley|Purchasing Manager|Unit 7, Calder Trading Estate|Leeds||LS10 1QX|0113 496 0117|0113 496 0118
PENNY|A|online|||Pennyfarthing Direct Ltd|Oliver Adeyemi|Head of Buying|Wharf House, 19 Ropewalk Rd.|London||E16 2QZ|020 7946 0125|
CANAL|B|commuter|||Canalside Cycle Hub|Ravi Mistry|Store Manager|14 Gasworks Wharf|Birmingham||B1 2QT|0121 496 0133|
KELPI|B|mtb|||Kelpie Mountain Bikes|Ailsa Drummond|Buyer|52 Tannery Brae|Glasgow||G4 0QX|0141 496 0148|
HIVEB|B|road|2025-03-17||The Hive Bike Studio|Yasmin Iqbal|Owner|8 Loom Street|Manchester||M4 6QD|0161 496 0156|
SEVRN|C|touring|||Severn & Wye Tourers|Gwen Prosser|Owner|3 Ferry Steps|Bristol||BS1 6QF|0117 496 0129|
AULDR|C|workshop|||Auld Reekie Wheelwrights|Struan Kerr|Proprietor|9 Chandlers' Close|Edinburgh||EH6 6QZ|0131 496 0122|0131 496 0123
TYNEB|C|shop|||Tyne Bank Bikes|Joanne Rutter|Owner|21 Keelmen Row|Newcastle upon Tyne||NE1 3QY|0191 498 0164|
TAFFT|C|mtb||2025-11-28|Taff Trail Traders|Rhys Llewellyn|Owner|Uned 4, Ystad Glanrafon|Cardiff||CF10 5QA|029 2018 0119|
OUSEB|C|shop|2025-10-06||Ouse Bridge Bicycles|Harriet Lumb|Buyer|33 Skeldergate Yard|York||YO1 6QH|01632 960182|
MERSE|D|commuter|||Mersey Ferry Bikes|Declan Molloy|Owner|5 Cotton Exchange Row|Liverpool||L3 9QP|0151 496 0171|
LAGAN|D|road|2025-06-09||Lagan Velo|Niamh McCorry|Owner|17 Linen Hall Lane|Belfast||BT1 5QG|028 9649 6115|
BROAD|D|rental|||Broadland Cycle Hire|Pauline Thirkettle|Manager|Staithe Cottage, Mill Road|Wroxham|Norfolk|NR12 8QN|01632 960147|
""",
    "Germany": """
KETTE|A|shop|||Kettenblatt Großhandel GmbH|Annegret Vollmer|Purchasing Manager|Industriestr. 48|Köln||50829|0221 4710 117|0221 4710 118
RADHA|B|commuter|||Radhaus Nord GmbH|Jörg Petersen|Managing Director|Hafenweg 11|Hamburg||20457|040 66969 131|
ISARR|B|road|||Isar-Rennrad KG|Lukas Brandstätter|Buyer|Kohleninsel 3|München||80469|089 99998 142|
BERGF|B|mtb|2024-12-09||Bergfloh MTB GmbH|Svenja Faißt|Buyer|Dreisamufer 22|Freiburg im Breisgau||79098|0171 3920021|
TEMPV|B|online|||Tempelfeld Versand GmbH|Murat Özdemir|Head of Buying|Rollbahnstr. 140|Berlin||12099|030 23125 164|
SPEIC|C|workshop|||Speichenschmiede Weiß|Günther Weiß|Owner|Gerberstr. 6|Berlin||10115|030 23125 119|030 23125 120
MAINK|C|shop|||Mainkurbel OHG|Beate Lotz|Owner|Fischerplatz 2 A|Frankfurt am Main||60311|069 90009 133|
ALSTE|C|touring|||Alster-Tourenrad|Hinrich Möller|Owner|Uferstr. 95|Hamburg||22081|040 66969 177|
ELBRA|C|touring|||Elbradweg-Laden Schütze|Kerstin Schütze|Owner|Körnerweg 14|Dresden||01097|0171 3920034|
KESSE|C|shop|2025-05-19||Kesselrad GmbH & Co. KG|Hans-Peter Häberle|Buyer|Stäffelesgasse 31|Stuttgart||70178|0171 3920046|
PROME|C|commuter||2026-04-30|Promenaden-Räder|Mechthild Ahlers|Store Manager|Lindenring 60|Münster||48143|0171 3920058|
PLEIS|D|commuter|||Pleißenrad e.K.|Ronny Zschau|Owner|Mühlgraben 8|Leipzig||04107|0171 3920063|
PEGNI|D|workshop||2025-07-18|Fahrradwerkstatt Pegnitzgrund|Erwin Übelhör|Head Mechanic|Hintere Insel 1|Nürnberg||90403|0171 3920071|
BODEN|D|rental|||Bodensee-Verleih Strömer|Elfriede Strömer|Owner|Seestr. 27|Konstanz||78464|0171 3920082|
RHOEN|D|mtb|2026-07-13||Rhöntrail Sport|Bastian Groß|Owner|Am Wasserkuppenblick 5|Fulda||36037|0171 3920094|
""",
    "France": """
VELOC|A|online|||Vélocargo Distribution SAS|Aurélie Delacourt|Purchasing Director|ZI de la Deûle, 28 rue des Filatures|Lille||59000|03 53 01 21 17|03 53 01 21 18
ATELI|B|workshop|||L'Atelier du Pignon|Jérôme Vasseur|Head Mechanic|41, montée des Traboules|Lyon||69005|04 65 71 22 31|
GARON|B|shop|||Cycles de la Garonne|Françoise Casteras|Owner|6, quai des Brasseurs|Toulouse||31000|05 36 49 33 42|
PAVES|B|road|||Le Pavé du Nord|Grégory Wattrelos|Buyer|110, rue du Vélodrome|Roubaix||59100|03 53 01 44 53|
BREIZ|C|touring|||Breizh à Vélo|Maëlle Kerguélen|Owner|9, place du Vieux-Lavoir|Rennes||35000|02 61 91 55 64|
BUISS|C|shop|||La Roue Buissonnière|Benoît Chastaing|Owner|17, rue du Drac|Grenoble||38000|04 65 71 66 75|
QUAIB|C|commuter|2025-09-08||Quai des Bicyclettes|Noémie Bâ|Store Manager|54, quai du Canal|Paris||75019|01 99 00 77 86|
MISTR|C|road|||Mistral Cyclisme|Lucien Roumanille|Owner|3, rue des Teinturières|Avignon||84000|04 65 71 88 97|
GUIDO|C|commuter||2025-12-12|Le Guidon Bleu|Océane Lartigue|Store Manager|22, cours des Chartreux|Bordeaux||33000|05 36 49 12 09|
CIGOG|D|touring|||Cigogne Rando-Vélo|Jean-Luc Schœnauer|Owner|8, rue du Pont-aux-Oies|Strasbourg||67000|03 53 01 23 10|
OCEAN|D|rental|||Océan Location Vélos|Loïc Guérineau|Manager|2 bis, avenue du Môle|La Rochelle||17000|05 36 49 34 11|
GORGE|D|mtb|2026-04-13||Gorges & Dérailleurs|Élodie Chabrol|Owner|Hameau du Pont-Rompu|Aubenas||07200|04 65 71 45 12|
""",
    "Spain": """
IBERN|B|shop|||Ciclos Ibérica Norte, S.L.|Iñaki Etxeandia|Purchasing Manager|Calle del Astillero, 33|Bilbao|Bizkaia|48009|555 000 117|
PEDCA|B|road|2026-01-19||Pedalada Catalana, S.A.|Núria Puigdemàs|Buyer|Carrer de la Farga, 204|Barcelona|Barcelona|08018|555 000 128|
SIERR|C|mtb|||Sierra Rueda|Álvaro Montalbán|Owner|Cuesta del Almendro, 7|Granada|Granada|18010|555 000 139|
LEVAN|C|rental|||Levante en Bici|Amparo Ferrándiz|Operations Manager|Avda. de la Acequia, 61, bajo|Valencia|Valencia|46011|555 000 140|
RETIR|C|commuter|||Bicis Puerta del Olmo|Joaquín Peñalver|Owner|Calle de los Talleres, 19|Madrid|Madrid|28009|555 000 151|
PEREG|D|touring|||Bicis del Peregrino|Uxía Carballeira|Owner|Rúa da Fonte, 5|Santiago de Compostela|A Coruña|15704|555 000 162|
VOLCA|D|rental|2025-11-10||Volcán Bike|Yeray Santana|Manager|Paseo del Malpaís, 44|Las Palmas de Gran Canaria|Las Palmas|35007|555 000 173|
""",
    "Sweden": """
NORDK|B|shop|||Nordkedja AB|Åsa Hallström|Purchasing Manager|Varvsgatan 12|Göteborg||417 64|031-390 06 17|031-390 06 18
MALAR|B|online|||Mälardalens Cykelgross AB|Björn Ekwall|Buyer|Partihallsvägen 30|Stockholm||121 62|08-465 004 28|
CYKEK|C|commuter|||Cykelkällaren i Malmö|Göran Sjöö|Owner|Smedjegränd 4|Malmö||211 20|040-628 04 39|
FJALL|C|mtb|||Fjällhjul HB|Märta Jonsäter|Owner|Brunflovägen 71|Östersund||831 37|070-174 06 40|
OSTER|D|touring|||Österlens Cykelstuga|Inga-Lill Thörn|Owner|Hamngatan 2|Simrishamn||272 31|070-174 06 51|
VERKS|D|workshop||2025-05-30|Verkstan på Ån|Petter Lövgren|Head Mechanic|Kvarngärdet 9|Uppsala||753 20|070-174 06 62|
""",
    "Poland": """
WISLA|B|shop|||Rowery Wisła Sp. z o.o.|Małgorzata Świątek|Purchasing Manager|ul. Garncarska 26|Kraków||31-115|12 000 01 17|12 000 01 18
LANCU|C|commuter|||Łańcuch i Spółka|Paweł Dąbrówka|Owner|ul. Fabryczna 8/3|Warszawa||00-446|22 000 01 28|
BALTY|C|rental|||Bałtyckie Kółko|Kinga Żuławska|Operations Manager|ul. Rybacka 15|Gdańsk||80-882|58 000 01 39|
SZPRY|C|online|2025-07-07||Szprycha Hurt S.A.|Grzegorz Błażejczak|Buyer|ul. Składowa 101|Poznań||61-888|61 000 01 40|
TATRZ|D|mtb|||Tatrzański Szlak|Jędrzej Gąsior|Owner|ul. Pod Reglami 2|Zakopane||34-500|18 000 01 51|
ZUKWA|D|workshop|||Warsztat u Żuka|Wojciech Żuk|Head Mechanic|ul. Włókiennicza 40|Łódź||90-001|42 000 01 62|
""",
    "Greece": """
ATTIK|B|shop|||Ποδηλατική Αττικής Α.Ε.|Ελένη Καραμάνου|Purchasing Manager|Οδός Μύλων 84|Αθήνα||104 35|210 000 0117|210 000 0118
DYORO|C|commuter|||Δύο Ρόδες Ο.Ε.|Γιώργος Βλαστός|Owner|Λεωφόρος Λιμένος 12|Θεσσαλονίκη||546 25|2310 000 128|
TROXO|C|workshop|||Εργαστήριο Ο Τροχός|Παναγιώτης Σιδεράς|Head Mechanic|Σιδηρουργών 7|Πάτρα||262 21|2610 000 139|
MELTE|D|rental|||Μελτέμι Ενοικιάσεις|Ανθή Ναξιώτη|Manager|Παραλία Αγίου Γεωργίου|Νάξος||843 00|22850 00140|
KRITI|C|mtb|2025-02-24||Κρητικά Μονοπάτια|Μανώλης Ψαράκης|Owner|Οδός Ελιάς 33|Ηράκλειο||712 02|2810 000 151|
PILIO|D|touring|||Πήλιο με Ποδήλατο|Δέσποινα Μηλιώτη|Owner|Πλατεία Πλατάνου 1|Βόλος||383 33|24210 00162|
""",
    "Bulgaria": """
VITOS|B|shop|||Витоша Вело ООД|Десислава Петкова|Purchasing Manager|ул. "Леярска" 18|София||1527|02 000 0117|
KOLEL|C|online|||Колелото ЕООД|Ивайло Стоименов|Owner|бул. "Менделеев" 2Б|Пловдив||4004|032 000 128|
BRIZR|C|rental|||Морски бриз Рент|Жана Драгиева|Operations Manager|Крайбрежна алея 9|Варна||9005|052 000 139|
SPITZ|D|workshop|||Работилница „Спицата“|Христо Колев|Head Mechanic|ул. "Калайджийска" 4|Велико Търново||5000|062 000 140|
BALKA|D|mtb|2025-12-01||Балкан Трейл|Яна Щерева|Owner|ул. "Еделвайс" 21|Банско||2770|0749 00151|
TRAKI|-|touring|||Тракия Веломаршрути|Юлиян Ганчев|Director|ул. "Розова долина" 11|Казанлък||6100|0431 00162|
""",
    "Japan": """
TSUBA|A|shop|||つばめ自転車株式会社|中村 陽子|Purchasing Manager|中央区新富2丁目14-5|東京|東京都|104-0041|03-0000-0117|03-0000-0118
KAZEN|B|road|||風のペダル商会|小林 健太|Buyer|浪速区元町1丁目3-22|大阪|大阪府|556-0016|06-0000-0128|
HAKAT|B|shop|||博多ホイール株式会社|松尾 美咲|Purchasing Manager|博多区築港本町6-1|福岡|福岡県|812-0021|092-000-0139|
NAGIS|C|rental|||なぎさサイクル|石渡 大輔|Manager|材木座5丁目8-17|鎌倉|神奈川県|248-0013|0467-00-0140|
YAMAM|C|mtb|||山道工房|滝沢 亮|Owner|大字栗田2041-3|長野|長野県|380-0921|026-000-0151|
MACHI|C|commuter|||町屋輪業有限会社|西村 千鶴|Owner|上京区大宮通下長者町下る 79|京都|京都府|602-8134|075-000-0162|075-000-0163
HOKUT|D|touring|2025-06-23||北斗ツーリング社|佐々木 凛|Owner|中央区北四条東3丁目1-9|札幌|北海道|060-0034|011-000-0173|
MITSU|D|workshop||2026-01-30|三つ葉サイクル整備|加藤 弘|Head Mechanic|熱田区白鳥1丁目5-40|名古屋|愛知県|456-0036|052-000-0184|
WATAS|D|rental|||レンタサイクル渡し舟|村上 ひかり|Manager|土堂1丁目12-6|尾道|広島県|722-0035|0848-00-0195|
""",
    "South Korea": """
HANGY|A|online|||한결자전거 주식회사|김서연|Purchasing Director|성동구 아차산로 117, 4층|서울||04794|02-000-0117|
BARAM|B|road|||바람개비 바이크|박준호|Owner|수성구 들안길 88|대구||42161|053-000-0128|
DUBAQ|C|workshop|||두바퀴 공방|이하은|Head Mechanic|마포구 월드컵로29길 14|서울||04002|02-000-0139|
NAMSA|C|commuter|2025-11-03||남산 라이더스|최민재|Store Manager|중구 퇴계로 210-6|서울||04627|02-000-0140|
HAEBY|D|rental|||해변길 자전거 대여|정유진|Manager|해운대구 달맞이길 62|부산||48099|051-000-0151|
DOLDA|D|touring|||제주 돌담 자전거|고은별|Owner|애월읍 하귀로 35|제주||63042|064-000-0162|
""",
    "China": """
YUNLI|B|shop|2025-01-13||上海云岭自行车有限公司|陈思远|Purchasing Manager|普陀区云岭西路 356 号|上海||200333|021-0000 0117|
JINCH|C|commuter|||成都锦程单车行|杨雪梅|Owner|武侯区浆洗街 71 号|成都|四川|610041|028-0000 0128|
XIXIQ|C|road||2026-06-05|杭州西溪骑行用品店|周子涵|Store Manager|西湖区文二西路 909 号 2 幢|杭州|浙江|310012|0571-0000 0139|
NANFE|D|online|||广州南风贸易有限公司|黄嘉欣|Buyer|荔湾区芳村大道 18 号|广州|广东|510370|020-0000 0140|
HAIAN|D|rental|2026-05-18||厦门海岸骑行驿站|林志强|Manager|思明区环岛南路 240 号|厦门|福建|361005|0592-000 0151|
""",
    "Israel": """
CARML|B|mtb|||אופני הכרמל בע״מ|נועם אברהמי|Purchasing Manager|שדרות המוביל 27|חיפה||3508421|04-000-0117|
GALGA|C|commuter|||גלגל חופשי|תמר לוינסון|Owner|רחוב הנגרים 14|תל אביב-יפו||6811024|03-000-0128|
GALIL|D|touring|||רוכבי הגליל|אייל בן-שושן|Owner|דרך הזיתים 3|צפת||1321108|04-000-0139|
SADNA|-|workshop|2026-09-21||סדנת האופניים של מיכל|מיכל הררי|Owner|רחוב המסילה 50|באר שבע||8457106|08-000-0140|
""",
    "United Arab Emirates": """
KHALJ|B|online|||دراجات الخليج الجديد ذ.م.م|خالد المنصوري|Purchasing Manager|شارع الميناء، مستودع رقم 9|دبي||ص.ب. 00117|04-000 0117|04-000 0118
MASAR|C|shop|||متجر مسار للدراجات|ليلى الهاشمي|Store Manager|شارع النخيل 42|أبوظبي||ص.ب. 00128|02-000 0128|
WAHAT|C|road|2025-09-29||واحة العين للدراجات|سعيد الكعبي|Owner|شارع الواحة 6|العين||ص.ب. 00139|03-000 0139|
DHAHA|D|workshop|||ورشة العجلة الذهبية|يوسف الطاهر|Head Mechanic|المنطقة الصناعية 4، قطعة 18|الشارقة||ص.ب. 00140|06-000 0140|
BAYTD|D|rental||2025-10-31|بيت الدراج للتأجير|هند السويدي|Manager|كورنيش القواسم 1|رأس الخيمة||ص.ب. 00151|07-000 0151|
""",
}.items()}

# Some customers have part of their orders delivered elsewhere.
DEPOTS = {row["customer_id"]: row for row in rows("customer_id ship_name address city region postal_code", """
COPPH|Copperhead Distribution Center|901 Grain Elevator Rd., Dock 12|Aurora|CO|80011
PENNY|Pennyfarthing Direct, Returns & Fulfilment|Plot 3, Marsh Lane Park|Milton Keynes||MK1 1QW
KETTE|Kettenblatt Großhandel, Lager Süd|Am Güterbahnhof 9|Augsburg||86150
VELOC|Vélocargo, entrepôt Rhône|ZAC des Platanes, 5 allée du Fret|Saint-Priest||69800
TSUBA|つばめ自転車 千葉倉庫|美浜区新港 211|千葉|千葉県|261-0002
CANAL|Canalside Cycle Hub, Workshop Arches|Arch 31, Viaduct Street|Birmingham||B5 5QR
""")}
