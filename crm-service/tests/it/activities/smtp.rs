//! A mail server: takes messages over a real connection, and refuses them when it is told to.

use crm_service::SERVICE;
use service_kit::config::Mail;
use service_kit::testing::TestService;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    pub from: String,
    pub to: Vec<String>,
    /// Headers and body, lines ending in `\n`.
    pub data: String,
}

impl Delivery {
    /// The value of a header, unfolded.
    pub fn header(&self, name: &str) -> Option<String> {
        let headers = self.data.split("\n\n").next().unwrap();
        let unfolded = headers.replace("\n ", " ").replace("\n\t", " ");
        let start = format!("{}: ", name.to_lowercase());
        let mut lines = unfolded.lines();
        let line = lines.find(|line| line.to_lowercase().starts_with(&start))?;
        Some(line[start.len()..].to_owned())
    }
}

/// What the server says when it has a message whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    Takes,
    /// 451
    Later,
    /// 550
    Refuses,
    /// Takes it and hangs up before it says so.
    HangsUp,
}

#[derive(Clone)]
pub struct Server {
    address: SocketAddr,
    state: Arc<Mutex<(Mood, Vec<Delivery>)>>,
}

impl Server {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Server {
            address: listener.local_addr().unwrap(),
            state: Arc::new(Mutex::new((Mood::Takes, Vec::new()))),
        };
        let serving = server.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let server = serving.clone();
                std::thread::spawn(move || server.talk(stream.unwrap()));
            }
        });
        server
    }

    pub fn mood(&self, mood: Mood) {
        self.state.lock().unwrap().0 = mood;
    }

    pub fn deliveries(&self) -> Vec<Delivery> {
        self.state.lock().unwrap().1.clone()
    }

    pub fn mail(&self) -> Mail {
        Mail {
            smtp_url: format!("smtp://{}", self.address),
            from: "Tandem Sales <sales@tandem.example>".to_owned(),
        }
    }

    /// The CRM with this as its mail server.
    pub async fn crm(&self) -> TestService {
        let mail = self.mail();
        TestService::start_with(SERVICE, |config| config.mail = Some(mail), |_, _| {}).await
    }

    fn talk(&self, mut stream: TcpStream) -> Option<()> {
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        let mut say = |line: &str| stream.write_all(format!("{line}\r\n").as_bytes()).ok();
        say("220 sink")?;
        let (mut from, mut to) = (String::new(), Vec::new());
        loop {
            let line = lines.next()?.ok()?;
            let address = || line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
            match line.get(..4).unwrap_or(&line).to_uppercase().as_str() {
                "EHLO" | "HELO" => say("250 sink")?,
                "MAIL" => {
                    (from, to) = (address(), Vec::new());
                    say("250 ok")?;
                }
                "RCPT" => {
                    to.push(address());
                    say("250 ok")?;
                }
                "DATA" => {
                    say("354 go on")?;
                    let mut data = String::new();
                    loop {
                        let line = lines.next()?.ok()?;
                        if line == "." {
                            break;
                        }
                        data += line.strip_prefix('.').unwrap_or(&line);
                        data.push('\n');
                    }
                    let mut state = self.state.lock().unwrap();
                    let delivery = Delivery {
                        from: from.clone(),
                        to: to.clone(),
                        data,
                    };
                    if matches!(state.0, Mood::Takes | Mood::HangsUp) {
                        state.1.push(delivery);
                    }
                    match state.0 {
                        Mood::Takes => say("250 taken")?,
                        Mood::Later => say("451 the disk is full")?,
                        Mood::Refuses => say("550 there is nobody of that name")?,
                        Mood::HangsUp => return None,
                    };
                }
                "QUIT" => {
                    say("221 bye");
                    return None;
                }
                _ => say("250 ok")?,
            };
        }
    }
}
